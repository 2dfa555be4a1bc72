// The emoji panel of the composer: a grid for pointer and keyboard.
import { element } from '/dom.js'

const COLUMNS = 8
const ALL = [...new Intl.Segmenter().segment(
  '😀😂🙂😉😊😍😘😎🤔🙄😅😬😴🤯😱😭😡🥳🤩🥺👍👎👏🙌🙏💪👋🤝✌️🤞👀🧠❤️🧡💚💙💔🔥✨🎉🎮🎲🏆⚽🚀⏰🍋🍊',
)].map((s) => s.segment)

/**
 * @param {HTMLElement} panel
 * @param {HTMLElement} button shows and hides it
 * @param {(emoji: string) => void} pick
 */
export function emojiPanel(panel, button, pick) {
  const cells = ALL.map((emoji) => element('button', { type: 'button', role: 'gridcell', tabIndex: -1 }, emoji))
  for (let i = 0; i < cells.length; i += COLUMNS) panel.append(element('div', { role: 'row' }, ...cells.slice(i, i + COLUMNS)))

  const open = (yes) => {
    panel.hidden = !yes
    button.setAttribute('aria-expanded', String(yes))
    if (yes) focus(0)
  }
  const focus = (i) => {
    for (const c of cells) c.tabIndex = -1
    cells[i].tabIndex = 0
    cells[i].focus()
  }
  const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -COLUMNS, ArrowDown: COLUMNS }

  button.addEventListener('click', () => open(panel.hidden))
  panel.addEventListener('click', (e) => {
    if (!cells.includes(e.target)) return
    open(false)
    pick(e.target.textContent)
  })
  panel.addEventListener('keydown', (e) => {
    const at = cells.indexOf(document.activeElement)
    const to = at + (steps[e.key] ?? 0)
    if (e.key === 'Escape') {
      open(false)
      button.focus()
    } else if (e.key in steps) {
      e.preventDefault()
      if (cells[to]) focus(to)
    }
  })
  document.addEventListener('pointerdown', (e) => {
    if (!panel.hidden && !panel.contains(e.target) && !button.contains(e.target)) open(false)
  })
}
