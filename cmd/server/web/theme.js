// Light, dark, or as the system has it. A classic script in the head, so that
// the first paint has the right colours already.
(() => {
  const themes = ['auto', 'light', 'dark']
  const root = document.documentElement
  const stored = localStorage.getItem('shaddock.theme')
  let theme = themes.includes(stored) ? stored : 'auto'

  const apply = (button) => {
    root.dataset.theme = theme
    if (!button) return
    button.dataset.theme = theme
    button.title = `Colours: ${theme}`
    button.setAttribute('aria-label', `Colours: ${theme}. Change`)
  }

  apply()
  document.addEventListener('DOMContentLoaded', () => {
    const button = document.getElementById('theme')
    if (!button) return
    apply(button)
    button.addEventListener('click', () => {
      theme = themes[(themes.indexOf(theme) + 1) % themes.length]
      localStorage.setItem('shaddock.theme', theme)
      apply(button)
    })
  })
})()
