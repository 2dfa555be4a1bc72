// The strip above the log that says what is wrong with the connection, and what
// one can do about it.
import { $ } from '/dom.js'

let countdown

/**
 * @param {import('/sdk/shaddock.js').Status} status
 * @param {{retry: () => void, again: () => void}} actions
 */
export function banner({ state, ending, retryAt }, { retry, again }) {
  clearInterval(countdown)
  const tell = (text, label, action) => {
    $('banner').hidden = false
    $('banner').dataset.state = state
    $('banner-text').textContent = text
    $('banner-action').textContent = label
    $('banner-action').onclick = action
  }
  if (state === 'open') {
    $('banner').hidden = true
  } else if (state === 'waiting') {
    const count = () => {
      const seconds = Math.max(0, Math.ceil((retryAt - Date.now()) / 1000))
      tell(`${sentence(ending.text)} Trying again in ${seconds} s.`, 'Try now', retry)
    }
    count()
    countdown = setInterval(count, 1000)
  } else if (state === 'closed') {
    tell(ending.kicked ? `You were disconnected: ${ending.text}` : sentence(ending.text), 'Connect again', again)
  }
}

/** Reasons are written in lower case, for logs. */
const sentence = (text) => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`
