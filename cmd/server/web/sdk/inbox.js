/**
 * Runs a macrotask later, so that all promises settled until now have been
 * heard. A timer would do it too, but browsers slow those down in hidden tabs.
 * @type {(task: () => void) => void}
 */
const later = (() => {
  const { setImmediate, MessageChannel } = /** @type {any} */ (globalThis)
  if (setImmediate) return (task) => setImmediate(task)
  const channel = new MessageChannel()
  /** @type {Array<() => void>} */
  const tasks = []
  channel.port1.onmessage = () => tasks.shift()?.()
  return (task) => {
    tasks.push(task)
    channel.port2.postMessage(0)
  }
})()

/**
 * What arrived and is not handled yet, in order.
 *
 * A response wakes up code behind an `await`, which runs after the current task;
 * a push calls its handlers at once. So that the program sees both in the order
 * in which the server sent them, the inbox pauses between a response and the
 * push behind it, often in the same WebSocket message, until that code has run.
 */
export class Inbox {
  /** @type {Array<() => boolean>} */
  #entries = []
  #paused = false
  #answered = false

  /**
   * @param {boolean} pushes whether handling it calls the program directly
   * @param {() => boolean} handle returns whether it settled a promise
   */
  add(pushes, handle) {
    this.#entries.push(() => {
      if (pushes && this.#answered) {
        this.#paused = true
        later(() => this.#resume())
        return false
      }
      this.#answered = handle() || this.#answered
      return true
    })
    this.#run()
  }

  #run() {
    while (!this.#paused && this.#entries.length > 0) {
      if (this.#entries[0]()) this.#entries.shift()
    }
  }

  #resume() {
    this.#paused = this.#answered = false
    this.#run()
  }
}
