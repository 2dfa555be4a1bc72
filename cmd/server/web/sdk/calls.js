import { Code, ShaddockError } from './errors.js'

/** Ids start again here: JavaScript servers of the field use them below 2^31. */
const MAX_ID = 2 ** 31 - 1

/**
 * A request without its answer.
 * @typedef {object} Call
 * @property {number} id 0 while it waits for a connection
 * @property {string} route
 * @property {Uint8Array} body
 * @property {boolean} resend whether it may be sent again when the connection ends before the answer
 * @property {(value: unknown) => void} resolve
 * @property {(err: ShaddockError) => void} reject
 */

/**
 * The requests under way. Each is in one of two places: waiting for a connection,
 * in the order of the calls, or sent, by id. Each settles once and then leaves.
 */
export class Calls {
  /** @type {Set<Call>} */
  #waiting = new Set()
  /** @type {Map<number, Call>} */
  #sent = new Map()
  #lastID = 0

  /** @param {number} limit how many may wait for a connection */
  constructor(limit) {
    this.limit = limit
  }

  /** How many have no answer yet. */
  get size() {
    return this.#waiting.size + this.#sent.size
  }

  /** How many are on their way. */
  get sent() {
    return this.#sent.size
  }

  /**
   * A new call, waiting, and the promise of its answer.
   * @param {string} route
   * @param {Uint8Array} body
   * @param {{timeout: number, signal?: AbortSignal, resend: boolean}} how
   */
  add(route, body, { timeout, signal, resend }) {
    /** @type {Call} */
    const call = { id: 0, route, body, resend, resolve: () => {}, reject: () => {} }
    const answer = new Promise((resolve, reject) => {
      const leave = () => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', abort)
        this.#waiting.delete(call)
        this.#sent.delete(call.id)
      }
      call.resolve = (value) => (leave(), resolve(value))
      call.reject = (err) => (leave(), reject(err))
      const abort = () => call.reject(this.#error(Code.aborted, 'aborted', call, signal?.reason))
      const expire = () => call.reject(this.#error(Code.timeout, `no answer within ${timeout} ms`, call))
      const timer = timeout === Infinity ? undefined : setTimeout(expire, timeout)
      signal?.addEventListener('abort', abort)
      if (signal?.aborted) abort()
      else if (this.#waiting.size >= this.limit) call.reject(this.#error(Code.busy, `${this.limit} requests wait already`, call))
      else this.#waiting.add(call)
    })
    return { call, answer }
  }

  /**
   * Sends a call, unless it has settled meanwhile.
   * @param {Call} call
   * @param {(call: Call) => boolean} send
   */
  dispatch(call, send) {
    if (!this.#waiting.delete(call)) return
    call.id = this.#nextID()
    this.#sent.set(call.id, call)
    try {
      if (!send(call)) this.#unsend(call)
    } catch (err) {
      call.reject(/** @type {ShaddockError} */ (err)) // it does not fit into a package
    }
  }

  /**
   * Sends all that wait, in order.
   * @param {(call: Call) => boolean} send
   */
  dispatchAll(send) {
    for (const call of [...this.#waiting]) this.dispatch(call, send)
  }

  /** The call a response belongs to, undefined when nobody waits for it any more. @param {number} id */
  find(id) {
    return this.#sent.get(id)
  }

  /**
   * The connection has ended: what may be sent again waits, at the front; the
   * rest fails, for nobody knows whether it was handled.
   * @param {import('./shaddock.js').Ending} why
   */
  lost(why) {
    const waiting = this.#waiting
    const sent = [...this.#sent.values()]
    this.#waiting = new Set()
    for (const call of sent) {
      if (call.resend) this.#unsend(call)
      else call.reject(new ShaddockError(Code.lost, `connection ended before the answer: ${why.text}`, { route: call.route, ending: why }))
    }
    for (const call of waiting) this.#waiting.add(call)
  }

  /** The client is closed: nothing will be sent any more. @param {import('./shaddock.js').Ending} why */
  closed(why) {
    for (const call of [...this.#sent.values(), ...this.#waiting]) {
      const code = call.id === 0 ? Code.closed : Code.lost
      call.reject(new ShaddockError(code, why.text, { route: call.route, ending: why }))
    }
  }

  /** @param {Call} call */
  #unsend(call) {
    this.#sent.delete(call.id)
    call.id = 0
    this.#waiting.add(call)
  }

  #nextID() {
    do this.#lastID = this.#lastID === MAX_ID ? 1 : this.#lastID + 1
    while (this.#sent.has(this.#lastID))
    return this.#lastID
  }

  /**
   * @param {number} code
   * @param {string} msg
   * @param {Call} call
   * @param {unknown} [cause]
   */
  #error(code, msg, { route }, cause) {
    return new ShaddockError(code, `${route}: ${msg}`, { route, cause })
  }
}
