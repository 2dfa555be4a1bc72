// The message log: draws lines and keeps the end in view for whoever reads there.
import { element } from '/dom.js'
import { avatar } from './avatar.js'

const SAME_BREATH = 5 * 60_000 // ms: lines of one speaker within it share a head
const LINK = /\bhttps?:\/\/[^\s<>"']+[^\s<>"'.,;:!?)\]}]/g
const ONLY_EMOJI = /^(?:\p{Extended_Pictographic}|\p{Emoji_Component}|\s){1,12}$/u

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })
const calendar = new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long' })

export class Log {
  #list
  #latest
  #retry
  #items = new Map() // line id -> its element
  #last
  #missed = 0
  #following = true // the end is in view

  /**
   * @param {HTMLElement} list
   * @param {HTMLButtonElement} latest brings the end into view
   * @param {(line: import('./conversation.js').Line) => void} retry sends a failed line again
   */
  constructor(list, latest, retry) {
    this.#list = list
    this.#latest = latest
    this.#retry = retry
    list.addEventListener('scroll', () => this.#look(), { passive: true })
    new ResizeObserver(() => this.#follow()).observe(list)
    latest.addEventListener('click', () => this.toEnd())
  }

  /** Shows another conversation from its beginning. */
  show(conversation) {
    this.#list.replaceChildren()
    this.#items.clear()
    this.#last = undefined
    this.#following = true
    for (const line of conversation.lines) this.add(line)
    if (conversation.lines.length === 0) this.#list.append(this.#empty())
    this.toEnd()
  }

  #empty() {
    return element('li', { className: 'empty' }, element('img', { src: '/mark.svg', alt: '', width: 72, height: 72 }),
      element('p', {}, 'Nobody has said anything since you came.'), element('p', { className: 'quiet' }, 'Share the link of this room, or open it in a second tab.'))
  }

  /** Adds a line, or draws it again after a change. */
  add(line) {
    const known = this.#items.get(line.id)
    if (known) {
      known.dataset.state = line.state
      known.querySelector('.again')?.remove()
      if (line.state === 'failed') known.append(this.#again(line))
      return
    }
    this.#list.querySelector('.empty')?.remove()
    const day = calendar.format(line.at)
    if (!this.#last || calendar.format(this.#last.at) !== day) this.#list.append(element('li', { className: 'day' }, element('span', {}, day)))
    const item = line.kind === 'notice' ? element('li', { className: 'aside' }, line.content) : this.#message(line)
    this.#items.set(line.id, item)
    this.#list.append(item)
    this.#last = line
    this.#trim()
    if (line.mine) this.#following = true
    if (this.#following) this.#follow()
    else if (line.kind === 'message') this.#miss()
  }

  /** Marks where the reader was when the page went out of sight. */
  markUnread() {
    this.unmark()
    this.#list.append(element('li', { className: 'unread' }, element('span', {}, 'new')))
  }

  unmark() {
    this.#list.querySelector('.unread')?.remove()
  }

  get marked() {
    return this.#list.querySelector('.unread') !== null
  }

  toEnd() {
    this.#following = true
    this.#follow()
    this.#look()
  }

  #message(line) {
    const goesOn = this.#last?.kind === 'message' && this.#last.name === line.name && !this.#last.mine === !line.mine &&
      line.at - this.#last.at < SAME_BREATH && !this.#list.lastElementChild.matches('.day, .unread')
    const time = element('time', { dateTime: new Date(line.at).toISOString(), title: new Date(line.at).toLocaleString() }, clock.format(line.at))
    const you = line.mine ? [element('small', {}, 'you')] : []
    const head = goesOn ? [time] : [avatar(line.name), element('div', { className: 'head' }, element('strong', {}, line.name), ...you, time)]
    const body = element('p', { className: ONLY_EMOJI.test(line.content) && /\p{Extended_Pictographic}/u.test(line.content) ? 'big' : '' }, ...linked(line.content))
    return element('li', { className: `line${goesOn ? ' more' : ''}${line.mine ? ' mine' : ''}`, dataset: { state: line.state ?? 'said' } }, ...head, body)
  }

  #again(line) {
    const button = element('button', { className: 'plain', type: 'button' }, 'Send again')
    button.addEventListener('click', () => this.#retry(line))
    return element('span', { className: 'again' }, 'Perhaps not delivered.', button)
  }

  #trim() {
    while (this.#items.size > 500) {
      const [id, item] = this.#items.entries().next().value
      this.#items.delete(id)
      item.remove()
    }
  }

  #follow() {
    if (this.#following) this.#list.scrollTop = this.#list.scrollHeight
  }

  #look() {
    const { scrollHeight, scrollTop, clientHeight } = this.#list
    this.#following = scrollHeight - scrollTop - clientHeight < 48
    if (this.#following) this.#missed = 0
    this.#latest.hidden = this.#following
    this.#latest.textContent = this.#missed ? `${this.#missed} new ↓` : 'Latest ↓'
  }

  #miss() {
    this.#missed++
    this.#look()
  }
}

/** Text with its links as links, everything else as the text it is. */
function linked(text) {
  const parts = []
  let at = 0
  for (const { 0: url, index } of text.matchAll(LINK)) {
    parts.push(text.slice(at, index), element('a', { href: url, target: '_blank', rel: 'noopener noreferrer' }, url))
    at = index + url.length
  }
  return [...parts, text.slice(at)]
}
