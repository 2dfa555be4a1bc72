// The chat page: puts the connection, the conversation and the parts of the page together.
import { Client } from '/sdk/shaddock.js'
import { $, element } from '/dom.js'
import { avatar, paint } from './avatar.js'
import { banner } from './banner.js'
import { Conversation, guest } from './conversation.js'
import { drawers } from './drawers.js'
import { emojiPanel } from './emoji.js'
import { Log } from './log.js'
import { linkTo, loadName, loadRooms, LOBBY, roomOfPage, saveName, saveRooms, titleOf } from './settings.js'

const PATIENCE = 8000 // ms until a line of ours that has not come back counts as failed

const client = new Client('/nano')
const log = new Log($('log'), $('latest'), retry)
const conversations = new Map()

let rooms = loadRooms()
let room = roomOfPage()
let talk = conversationOf(room)
let unread = 0
let lostAt = 0
let moving = Promise.resolve() // moves between rooms, one after another

function conversationOf(name) {
  if (!conversations.has(name)) conversations.set(name, new Conversation())
  return conversations.get(name)
}

function show(line) {
  if (line) log.add(line)
}

function showTitle() {
  document.title = `${unread ? `(${unread}) ` : ''}${titleOf(room)} · shaddock`
}

function showRooms() {
  $('rooms').replaceChildren(...rooms.map((name) => {
    const link = element('a', { href: linkTo(name) }, titleOf(name))
    if (name === room) link.setAttribute('aria-current', 'page')
    const item = element('li', {}, link)
    if (name !== LOBBY && name !== room) {
      const forget = element('button', { type: 'button', className: 'plain', ariaLabel: `Forget ${name}`, title: 'Forget this room' }, '×')
      forget.addEventListener('click', () => {
        rooms = rooms.filter((r) => r !== name)
        saveRooms(rooms)
        showRooms()
      })
      item.append(forget)
    }
    return item
  }))
}

function showPeople() {
  const person = (name, ...more) => element('li', {}, avatar(name), element('span', {}, name), ...more)
  const others = [...talk.members]
  $('people').replaceChildren(person($('name').value, element('small', {}, 'you')), ...others.map((id) => person(guest(id))))
  $('count').textContent = client.state === 'open' ? others.length + 1 : ''
  const voices = [...talk.voices.keys()].filter((name) => name !== $('name').value).reverse().slice(0, 8)
  $('heard').replaceChildren(...voices.map((name) => person(name)))
  $('heard-title').hidden = voices.length === 0
}

function showName() {
  paint($('me'), $('name').value)
  showPeople()
}

/** Draws everything anew, for the room that we are in now. */
function showRoom() {
  if (!rooms.includes(room)) {
    rooms.push(room)
    saveRooms(rooms)
  }
  $('room').textContent = titleOf(room)
  $('text').placeholder = `Message ${titleOf(room)}`
  unread = 0
  log.show(talk)
  showRooms()
  showPeople()
  showTitle()
}

// What the room says.

client.on('onMembers', ({ members }) => {
  talk.meet(members)
  showPeople()
})
client.on('onNewUser', ({ content }) => {
  show(talk.arrive(Conversation.idIn(content), Date.now()))
  showPeople()
})
client.on('onLeave', ({ content }) => {
  show(talk.depart(Conversation.idIn(content), Date.now()))
  showPeople()
})
client.on('onMessage', (message) => {
  const line = talk.hear(message, Date.now())
  if (!line.mine && document.hidden) {
    if (unread++ === 0) log.markUnread()
    showTitle()
  }
  show(line)
  showPeople()
})

// What we say. A line waits in the conversation until there is a connection.

function send(line) {
  if (!client.notify('room.message', { room, name: line.name, content: line.content })) return
  line.state = 'sending'
  show(line)
  setTimeout(() => {
    if (line.state !== 'sending') return
    line.state = 'failed'
    show(line)
  }, PATIENCE)
}

function retry(line) {
  line.state = 'queued'
  show(line)
  send(line)
}

function say() {
  const content = $('text').value.trim()
  if (!content) return
  $('text').value = ''
  grow()
  const line = talk.compose($('name').value.trim() || 'somebody', content, Date.now())
  log.unmark()
  show(line)
  send(line)
}

function grow() {
  $('text').style.height = 'auto'
  $('text').style.height = `${Math.min($('text').scrollHeight, 160)}px`
}

// The connection. Every new one begins with joining the room we want to be in.

client.onOpen(async (session) => {
  await session.request('room.join', { room })
  if (!session.resumed || !lostAt) return
  const seconds = Math.max(1, Math.round((Date.now() - lostAt) / 1000))
  show(talk.notice(`You were away for ${seconds} s; what was said meanwhile is not here.`, Date.now()))
})

client.watch((status) => {
  const { state } = status
  $('status').dataset.state = state
  $('status').textContent = { open: 'connected', waiting: 'reconnecting', closed: 'disconnected' }[state] ?? 'connecting'
  banner(status, { retry: () => client.retryNow(), again: () => connect() })
  if (state === 'open') {
    lostAt = 0
    for (const line of talk.ours('queued')) send(line)
  } else if (status.ending) {
    lostAt ||= Date.now()
    talk.lose().forEach(show)
  }
  showPeople()
})

function connect() {
  client.connect().catch(() => {}) // the banner says why
}

async function moveTo(next) {
  const last = room
  if (next === last) return
  room = next
  talk = conversationOf(room)
  showRoom()
  if (client.state !== 'open') return // the next connection begins there
  try {
    await client.request('room.leave', { room: last })
    await client.request('room.join', { room })
    for (const line of talk.ours('queued')) send(line)
  } catch (err) {
    show(talk.notice(`Could not join: ${err.msg}`, Date.now()))
  }
  showPeople()
}

// The page.

$('name').value = loadName()
$('name').addEventListener('input', showName)
$('name').addEventListener('change', () => {
  if (!$('name').value.trim()) $('name').value = loadName()
  saveName($('name').value.trim())
  showName()
})
$('go').addEventListener('submit', (e) => {
  e.preventDefault()
  const name = $('where').value.trim()
  $('where').value = ''
  if (name) location.hash = linkTo(name)
  $('text').focus()
})
window.addEventListener('hashchange', () => {
  const next = roomOfPage()
  moving = moving.then(() => moveTo(next))
})
$('say').addEventListener('submit', (e) => {
  e.preventDefault()
  say()
})
$('text').addEventListener('input', grow)
$('text').addEventListener('keydown', (e) => {
  // Enter also ends the input of a Japanese or Chinese word: that sends nothing.
  if (e.key !== 'Enter' || e.shiftKey || e.isComposing) return
  e.preventDefault()
  say()
})
emojiPanel($('emojis'), $('emoji'), (emoji) => {
  $('text').setRangeText(emoji, $('text').selectionStart, $('text').selectionEnd, 'end')
  $('text').focus()
  grow()
})
$('share').addEventListener('click', async () => {
  await navigator.clipboard?.writeText(location.href)
  show(talk.notice(navigator.clipboard ? 'The link to this room is in your clipboard.' : `The link to this room: ${location.href}`, Date.now()))
})
document.addEventListener('visibilitychange', () => {
  if (document.hidden) return
  unread = 0
  showTitle()
})
drawers([[$('show-rooms'), $('rooms-panel')], [$('show-people'), $('people-panel')]], $('shade'))

showName()
showRoom()
connect()
