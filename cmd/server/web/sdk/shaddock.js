// The client of shaddock, and of every other server that speaks the pomelo
// protocol: browsers and Node, no build step. Types and the description of each
// member are in shaddock.d.ts.
//
//   import { Client } from '/sdk/shaddock.js'
//
//   const client = new Client('/nano')
//   client.on('onMessage', ({ name, content }) => show(name, content))
//   client.onOpen((session) => session.request('room.join', { room: 'lobby' }))
//   await client.connect()
//   client.notify('room.message', { name: 'Ada', content: 'hello' })

import { Backoff } from './backoff.js'
import { Calls } from './calls.js'
import { json, raw } from './codec.js'
import { Dictionary } from './dictionary.js'
import { Code, ending, Reason, ShaddockError } from './errors.js'
import { Link } from './link.js'
import { decodeText, encodeMessage, Message } from './wire.js'

export { Code, json, raw, Reason, ShaddockError }

/** The push by which a server that stops asks its clients to connect again, see #goAway. */
const GOAWAY = 'sys.goaway'

/** How long a connection must have lasted for the next failure to count as the first. */
const STABLE = 10_000

/** @typedef {import('./shaddock.js').Client} Declared */

/** @implements {Declared} */
export class Client {
  #url
  #options
  #codec
  #backoff
  #calls
  #dictionary = new Dictionary()

  /** @type {import('./shaddock.js').Status} */
  #status = Object.freeze({ state: 'idle', attempt: 0 })
  /** @type {Link | undefined} */
  #link
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #retry
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #stable
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #away
  /** @type {string | undefined} where the next attempt goes, and only that one */
  #next
  #moving = false
  #everOpen = false
  /** @type {PromiseWithResolvers<import('./shaddock.js').Welcome> | undefined} */
  #connecting

  /** @type {Map<string, Set<Function>>} */
  #handlers = new Map()
  /** @type {Set<Function>} */
  #watchers = new Set()
  /** @type {Set<Function>} */
  #hooks = new Set()
  /** @type {Set<Function>} */
  #kicks = new Set()

  /**
   * @param {string | URL} url
   * @param {import('./shaddock.js').Options} [options]
   */
  constructor(url, options = {}) {
    const WebSocket = options.WebSocket ?? globalThis.WebSocket
    if (!WebSocket) throw new TypeError('no WebSocket here: pass { WebSocket } of the package "ws", or use Node 22')
    this.#url = absolute(url)
    this.#options = { timeout: 10_000, connectTimeout: 10_000, resend: false, ...options, WebSocket }
    this.#codec = options.codec ?? json
    this.#backoff = new Backoff(options.reconnect === false ? { attempts: 0 } : options.reconnect)
    this.#calls = new Calls(options.maxWaiting ?? 256)
  }

  get url() {
    return this.#url
  }

  get status() {
    return this.#status
  }

  get state() {
    return this.#status.state
  }

  get welcome() {
    return this.#status.welcome
  }

  get pending() {
    return this.#calls.size
  }

  connect() {
    const { state, welcome } = this.#status
    if (state === 'open' && welcome) return Promise.resolve(welcome)
    if (!this.#connecting) {
      /** @type {any} */
      const later = {}
      later.promise = new Promise((resolve, reject) => Object.assign(later, { resolve, reject }))
      this.#connecting = /** @type {PromiseWithResolvers<import('./shaddock.js').Welcome>} */ (later)
    }
    const { promise } = this.#connecting
    if (state === 'idle' || state === 'closed') {
      this.#backoff.reset()
      this.#dial()
    }
    return promise
  }

  retryNow() {
    if (this.state === 'waiting') this.#dial()
  }

  close(text = 'closed here') {
    if (this.state === 'closed') return
    const why = Object.freeze({ ...ending(Reason.none, text), retry: false })
    if (this.#link) this.#link.end(why)
    else this.#close(why)
  }

  /**
   * @param {string} route
   * @param {unknown} [body]
   * @param {import('./shaddock.js').RequestOptions} [options]
   * @returns {Promise<any>}
   */
  request(route, body, options) {
    return this.#request(route, body, options, this.state === 'open')
  }

  /**
   * @param {string} route
   * @param {unknown} [body]
   */
  notify(route, body) {
    return this.state === 'open' && this.#link?.congested === false && this.#notify(route, body)
  }

  /**
   * @param {string} route
   * @param {(body: any, route: string) => void} handler
   */
  on(route, handler) {
    let set = this.#handlers.get(route)
    if (!set) this.#handlers.set(route, (set = new Set()))
    return enroll(set, handler)
  }

  /**
   * @param {string} route
   * @param {(body: any, route: string) => void} [handler]
   */
  off(route, handler) {
    if (handler) this.#handlers.get(route)?.delete(handler)
    else this.#handlers.delete(route)
  }

  /** @param {(session: import('./shaddock.js').Session) => unknown} hook */
  onOpen(hook) {
    return enroll(this.#hooks, hook)
  }

  /** @param {(why: import('./shaddock.js').Ending) => void} handler */
  onKick(handler) {
    return enroll(this.#kicks, handler)
  }

  /** @param {(status: import('./shaddock.js').Status) => void} watcher */
  watch(watcher) {
    const stop = enroll(this.#watchers, watcher)
    this.#call(watcher, this.#status)
    return stop
  }

  #dial() {
    this.#endWait()
    this.#become({ state: 'connecting' })
    const url = this.#next ?? this.#url
    this.#next = undefined
    const { WebSocket, connectTimeout, sys, user } = this.#options
    const how = {
      WebSocket, sys: sys ?? {}, timeout: connectTimeout,
      user: () => (typeof user === 'function' ? user() : user),
      dictVersion: this.#dictionary.version,
    }
    try {
      /** @type {Link} */
      const link = new Link(url, how, {
        shaking: () => this.#become({ state: 'handshaking' }),
        opened: (welcome) => void this.#opened(link, welcome),
        message: (m) => this.#message(m),
        ended: (why) => this.#ended(why),
      })
      this.#link = link
    } catch (cause) {
      // The WebSocket refuses the URL itself: it would do so every time.
      if (url === this.#url) this.#close(Object.freeze({ ...ending(Reason.none, String(cause)), cause }))
      else this.#dial() // where a server sent us
    }
  }

  /**
   * @param {Link} link
   * @param {import('./shaddock.js').Welcome} welcome
   */
  async #opened(link, welcome) {
    this.#dictionary.update(welcome.sys ?? {})
    this.#stable = setTimeout(() => this.#backoff.reset(), STABLE)
    this.#become({ state: 'restoring', welcome })
    try {
      const session = this.#session(link, welcome)
      for (const hook of this.#hooks) await hook(session)
    } catch (err) {
      // What the hooks put back is not there: this connection is of no use.
      const temporary = err instanceof ShaddockError && err.temporary
      const text = err instanceof Error ? err.message : String(err)
      link.end(Object.freeze({ ...ending(Reason.none, text), name: 'hook', retry: temporary, cause: err }))
      return
    }
    if (this.#link !== link) return // it ended while the hooks were at work
    this.#everOpen = true
    this.#become({ state: 'open', welcome })
    this.#calls.dispatchAll((call) => this.#send(call))
    this.#connecting?.resolve(welcome)
    this.#connecting = undefined
  }

  /**
   * What hooks see: requests on this connection, past those that wait for `open`.
   * @param {Link} link
   * @param {import('./shaddock.js').Welcome} welcome
   * @returns {import('./shaddock.js').Session}
   */
  #session(link, welcome) {
    return {
      welcome,
      resumed: this.#everOpen,
      request: async (route, body, options) => {
        if (this.#link !== link) throw new ShaddockError(Code.lost, 'this connection has ended', { route })
        return this.#request(route, body, { ...options, resend: false }, true)
      },
      notify: (route, body) => this.#link === link && this.#notify(route, body),
    }
  }

  /** @param {import('./shaddock.js').Ending} why */
  #ended(why) {
    this.#link = undefined
    clearTimeout(this.#stable)
    clearTimeout(this.#away)
    const moving = this.#moving
    this.#moving = false
    if (why.kicked) for (const handler of this.#kicks) this.#call(handler, why)
    this.#calls.lost(why)
    const wait = moving ? 0 : why.retry ? this.#backoff.next() : undefined
    if (wait === undefined) {
      this.#close(why)
      return
    }
    this.#retry = setTimeout(() => this.#dial(), wait)
    globalThis.addEventListener?.('online', this.#online)
    this.#become({ state: 'waiting', ending: why, retryAt: Date.now() + wait })
  }

  /** The network is back: no need to wait for the rest of the pause. */
  #online = () => this.retryNow()

  #endWait() {
    clearTimeout(this.#retry)
    globalThis.removeEventListener?.('online', this.#online)
  }

  /**
   * The server stops, and closes this connection after so many milliseconds. It
   * tells everybody another time; within theirs, clients come back at a moment of
   * their own, when no answer is on its way, so that nobody notices.
   * @param {Uint8Array} body
   */
  #goAway(body) {
    let told
    try {
      told = JSON.parse(decodeText(body))
      if (told.url) this.#next = absolute(new URL(told.url, this.#url))
    } catch {
      // Not understood: the connection ends when the server says so.
    }
    if (!(told?.after >= 0) || this.#options.reconnect === false) return
    const link = this.#link
    const leave = () => {
      if (this.#link !== link) return
      if (this.state !== 'open' || this.#calls.sent > 0) {
        this.#away = setTimeout(leave, 20)
        return
      }
      this.#moving = true
      link?.end(ending(Reason.shutdown))
    }
    clearTimeout(this.#away)
    this.#away = setTimeout(leave, told.after * 0.8 * this.#backoff.random())
  }

  /** @param {import('./shaddock.js').Ending} why */
  #close(why) {
    this.#endWait()
    this.#next = undefined
    this.#calls.closed(why)
    this.#connecting?.reject(new ShaddockError(Code.closed, why.text, { ending: why, cause: why.cause }))
    this.#connecting = undefined
    this.#become({ state: 'closed', ending: why }) // last: a watcher may connect again
  }

  /** @param {Partial<import('./shaddock.js').Status>} change */
  #become(change) {
    this.#status = Object.freeze({ state: this.state, attempt: this.#backoff.failures, ...change })
    for (const watcher of [...this.#watchers]) this.#call(watcher, this.#status)
  }

  /**
   * @param {string} route
   * @param {unknown} body
   * @param {import('./shaddock.js').RequestOptions | undefined} options
   * @param {boolean} now
   */
  async #request(route, body, options, now) {
    if (this.state === 'closed') throw new ShaddockError(Code.closed, 'the client is closed', { route, ending: this.#status.ending })
    const { timeout, resend } = this.#options
    const { call, answer } = this.#calls.add(route, this.#encode(route, 'request', body), { timeout, resend, ...options })
    if (now) this.#calls.dispatch(call, () => this.#send(call))
    return answer
  }

  /** @param {import('./calls.js').Call} call */
  #send({ id, route, body }) {
    const code = this.#dictionary.code(route)
    return this.#link?.send(encodeMessage({ type: Message.request, id, route, code, body })) ?? false
  }

  /**
   * @param {string} route
   * @param {unknown} body
   */
  #notify(route, body) {
    const code = this.#dictionary.code(route)
    const bytes = this.#encode(route, 'notify', body)
    return this.#link?.send(encodeMessage({ type: Message.notify, route, code, body: bytes })) ?? false
  }

  /**
   * @param {string} route
   * @param {'request' | 'notify'} kind
   * @param {unknown} body
   */
  #encode(route, kind, body) {
    return body instanceof Uint8Array ? body : this.#codec.encode(route, kind, body)
  }

  /** @param {import('./wire.js').Decoded} m */
  #message(m) {
    const route = m.code ? this.#dictionary.route(m.code) : m.route
    if (m.type === Message.response) return this.#answer(m)
    if (route === undefined) this.#report(new ShaddockError(Code.protocol, `no route has code ${m.code}`))
    else if (m.type === Message.push) this.#push(route, m)
    return false
  }

  /** @param {import('./wire.js').Decoded} m */
  #answer(m) {
    const call = this.#calls.find(m.id)
    if (!call) return false // timed out or aborted
    if (m.error) {
      call.reject(refusal(call.route, m.body))
      return true
    }
    try {
      call.resolve(this.#codec.decode(call.route, 'response', m.body))
    } catch (cause) {
      call.reject(new ShaddockError(Code.decode, `${call.route}: the answer cannot be decoded`, { route: call.route, cause }))
    }
    return true
  }

  /**
   * @param {string} route
   * @param {import('./wire.js').Decoded} m
   */
  #push(route, m) {
    if (route === GOAWAY) this.#goAway(m.body)
    const handlers = [...(this.#handlers.get(route) ?? []), ...(this.#handlers.get('*') ?? [])]
    if (handlers.length === 0) return // nobody listens: not worth decoding
    try {
      const body = this.#codec.decode(route, 'push', m.body)
      for (const handler of handlers) this.#call(handler, body, route)
    } catch (cause) {
      this.#report(new ShaddockError(Code.decode, `${route}: the push cannot be decoded`, { route, cause }))
    }
  }

  /**
   * Calls code of the program, whose errors must not stop ours.
   * @param {Function} f
   * @param {...unknown} args
   */
  #call(f, ...args) {
    try {
      f(...args)
    } catch (err) {
      this.#report(err)
    }
  }

  /** @param {unknown} err */
  #report(err) {
    if (this.#options.onError) this.#options.onError(err)
    else console.error('shaddock:', err)
  }
}

/**
 * The error that the body of a refused request tells.
 * @param {string} route
 * @param {Uint8Array} bytes
 */
function refusal(route, bytes) {
  const text = decodeText(bytes)
  let body
  try {
    body = JSON.parse(text)
  } catch {
    // Not JSON: the codec of another server.
  }
  return new ShaddockError(body?.code ?? Code.internal, body?.msg || text || 'refused', { route, body: body ?? bytes.slice() })
}

/**
 * @param {Set<Function>} set
 * @param {Function} f
 */
function enroll(set, f) {
  set.add(f)
  return () => void set.delete(f)
}

/**
 * A WebSocket URL: relative ones are meant from the page, http means ws.
 * @param {string | URL} url
 */
function absolute(url) {
  const u = new URL(url, globalThis.location?.href)
  u.protocol = u.protocol.replace(/^http/, 'ws')
  return u.href
}
