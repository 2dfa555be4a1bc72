/**
 * How long to wait before the next attempt: the wait doubles with every failure,
 * and half of it is left to chance, so that a thousand players who lost the same
 * server do not come back in the same second.
 */
export class Backoff {
  #failures = 0

  /**
   * @param {{base?: number, max?: number, attempts?: number, random?: () => number}} [options]
   *   milliseconds; `attempts` is how many failures in a row are borne.
   */
  constructor({ base = 500, max = 20_000, attempts = Infinity, random = Math.random } = {}) {
    this.base = base
    this.max = max
    this.attempts = attempts
    this.random = random
  }

  /** Failures since the last reset. */
  get failures() {
    return this.#failures
  }

  /** Counts a failure. The wait in milliseconds, or undefined to give up. */
  next() {
    if (this.#failures >= this.attempts) return undefined
    const wait = Math.min(this.max, this.base * 2 ** this.#failures++)
    return Math.round(wait * (0.5 + this.random() / 2))
  }

  reset() {
    this.#failures = 0
  }
}
