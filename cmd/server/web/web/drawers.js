/**
 * On narrow screens the side panels come in over the page, one at a time.
 * @param {Array<[button: HTMLElement, panel: HTMLElement]>} pairs
 * @param {HTMLElement} shade lies between the panel and the page
 */
export function drawers(pairs, shade) {
  const show = (wanted) => {
    for (const [button, panel] of pairs) {
      const yes = panel === wanted
      panel.classList.toggle('shown', yes)
      button.setAttribute('aria-expanded', String(yes))
    }
    shade.hidden = !wanted
    wanted?.querySelector('a, input')?.focus()
  }
  for (const [button, panel] of pairs) {
    button.addEventListener('click', () => show(panel.classList.contains('shown') ? undefined : panel))
    panel.addEventListener('click', (e) => {
      if (e.target.closest('a')) show(undefined)
    })
  }
  shade.addEventListener('click', () => show(undefined))
  document.addEventListener('keydown', (e) => {
    if (e.key === 'Escape' && !shade.hidden) show(undefined)
  })
}
