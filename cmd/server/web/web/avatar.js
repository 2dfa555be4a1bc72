import { element } from '/dom.js'

/** A disc with the first letter of a name, in a colour that goes with the name. */
export function avatar(name) {
  const e = element('span', { className: 'avatar', ariaHidden: 'true' })
  paint(e, name)
  return e
}

/** @param {HTMLElement} e @param {string} name */
export function paint(e, name) {
  const [letter = '?'] = new Intl.Segmenter().segment(name.trim() || '?')
  e.textContent = letter.segment.toUpperCase()
  e.style.setProperty('--hue', String(hue(name)))
}

function hue(name) {
  let h = 7
  for (const c of name) h = (h * 31 + c.codePointAt(0)) % 3600
  return Math.round(h * 137.5) % 360 // the golden angle: names that differ little get colours that differ much
}
