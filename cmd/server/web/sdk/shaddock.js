// The client of shaddock, and of other servers that speak the pomelo protocol,
// for browsers and for Node with a WebSocket.
//
//   const client = new Client('ws://127.0.0.1:3250/nano')
//   client.on('onMessage', (m) => console.log(m.name, m.content))
//   await client.connect()
//   await client.request('room.join', { room: '1' })
//   client.notify('room.message', { name: 'ann', content: 'hello' })

import { Backoff } from './backoff.js'
import { json } from './codec.js'
import { Dictionary } from './dictionary.js'
import { Code, Reason, ShaddockError, ending, endingOfClose, endingOfKick } from './errors.js'
import { Message, Packet, PacketReader, decodeMessage, decodeText, encodeMessage, encodePacket, encodeText } from './wire.js'

export { Code, Reason, ShaddockError } from './errors.js'
export { json, raw } from './codec.js'

/**
 * Why a connection ended: `retry` says whether this client connects again.
 * @typedef {Readonly<{code: number, name: string, text: string, retry: boolean, ws: number}>} Ending
 */

/**
 * How bodies are written and read; kind is 'request', 'notify', 'response' or 'push'.
 * @typedef {object} Codec
 * @property {string} name
 * @property {(route: string, kind: string, value: unknown) => Uint8Array} encode
 * @property {(route: string, kind: string, bytes: Uint8Array) => unknown} decode
 */

/**
 * @typedef {object} Options
 * @property {unknown} [user] sent with the handshake, for the server's validator
 * @property {Codec} [codec] default JSON
 * @property {number} [timeout] of a request and of the handshake, in ms; default 10,000
 * @property {boolean} [reconnect] default true
 * @property {ConstructorParameters<typeof Backoff>[0]} [backoff]
 * @property {typeof WebSocket} [WebSocket] default the global one
 */

/** The states, in the order of a good day. */
export const State = Object.freeze({ idle: 'idle', connecting: 'connecting', open: 'open', waiting: 'waiting', closed: 'closed' })

/**
 * One player's connection, which comes back by itself after a loss. Events, by
 * `on`: every pushed route by its name, and
 *   'state' (state, ending?) whenever it changes; with 'waiting' and 'closed' comes why
 *   'open' (user) after every handshake: the place to join rooms again
 *   'kick' (ending) when the server says why it ends
 *   'error' (error) for a push that cannot be decoded
 */
export class Client {
  #url
  #options
  #listeners = new Map()
  #dictionary = new Dictionary()
  #backoff
  #pending = new Map() // request id -> {resolve, reject, route, timer}
  #nextID = 1
  #state = State.idle
  #socket
  #reader
  #kicked
  #beat = 0 // interval in ms
  #timers = { beat: undefined, silence: undefined, retry: undefined, shake: undefined }
  #opening // {promise, resolve, reject} of connect()

  /**
   * @param {string} url
   * @param {Options} [options]
   */
  constructor(url, options = {}) {
    this.#url = url
    this.#options = { timeout: 10_000, reconnect: true, codec: json, ...options }
    this.#backoff = new Backoff(options.backoff)
  }

  /** The state now, one of State. */
  get state() { return this.#state }

  /**
   * Calls f for an event or a pushed route. Returns the function that stops it.
   * @param {string} event
   * @param {(...args: any[]) => void} f
   */
  on(event, f) {
    if (!this.#listeners.has(event)) this.#listeners.set(event, new Set())
    this.#listeners.get(event).add(f)
    return () => this.off(event, f)
  }

  /** @param {string} event @param {(...args: any[]) => void} f */
  off(event, f) { this.#listeners.get(event)?.delete(f) }

  /**
   * Connects; resolves to the server's `user` when the first handshake is done,
   * and rejects when the client gives up or is closed before.
   */
  connect() {
    if (this.#opening) return this.#opening.promise
    this.#opening = Promise.withResolvers?.() ?? deferred()
    this.#opening.promise.catch(() => {}) // whoever does not wait hears of it by 'state'
    this.#dial()
    return this.#opening.promise
  }

  /** Ends the connection for good; requests under way are rejected. */
  close() {
    if (this.#state === State.closed) return
    clearTimeout(this.#timers.retry)
    const end = Object.freeze({ ...ending(Reason.client_gone, 'closed by this client'), retry: false })
    this.#socket?.close(1000)
    this.#drop(Code.closed, end)
    this.#finish(end)
  }

  /**
   * Asks and resolves to the answer; rejects with a ShaddockError whose code is
   * the server's or, below zero, this client's.
   * @param {string} route
   * @param {unknown} [body]
   * @param {{timeout?: number}} [options]
   */
  request(route, body, { timeout = this.#options.timeout } = {}) {
    if (this.#state !== State.open) return Promise.reject(new ShaddockError(Code.closed, 'not connected', { route }))
    const id = this.#nextID++
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#pending.delete(id)
        reject(new ShaddockError(Code.timeout, `no answer to ${route} in ${timeout} ms`, { route }))
      }, timeout)
      this.#pending.set(id, { resolve, reject, route, timer })
      try {
        this.#message(Message.request, route, 'request', body, id)
      } catch (err) {
        clearTimeout(timer)
        this.#pending.delete(id)
        reject(err)
      }
    })
  }

  /**
   * Tells, without an answer. False when there is no connection: nothing was sent.
   * @param {string} route
   * @param {unknown} [body]
   */
  notify(route, body) {
    if (this.#state !== State.open) return false
    this.#message(Message.notify, route, 'notify', body, 0)
    return true
  }

  #message(type, route, kind, value, id) {
    const body = value instanceof Uint8Array ? value : this.#options.codec.encode(route, kind, value)
    this.#send(Packet.data, encodeMessage({ type, id, route, code: this.#dictionary.code(route), body }))
  }

  #send(type, body) { this.#socket.send(encodePacket(type, body)) }

  #emit(event, ...args) {
    for (const f of [...(this.#listeners.get(event) ?? [])]) f(...args)
  }

  #become(state, why) {
    this.#state = state
    this.#emit('state', state, why)
  }

  #dial() {
    this.#become(State.connecting)
    this.#reader = new PacketReader()
    this.#kicked = undefined
    const Socket = this.#options.WebSocket ?? globalThis.WebSocket
    const socket = new Socket(this.#url)
    this.#socket = socket
    socket.binaryType = 'arraybuffer'
    const mine = (f) => (event) => { if (socket === this.#socket) f(event) }
    socket.onopen = mine(() => this.#hello())
    socket.onmessage = mine((event) => this.#receive(new Uint8Array(event.data)))
    socket.onerror = () => {} // a close follows
    socket.onclose = mine((event) => this.#lost(this.#kicked ?? endingOfClose(event.code, event.reason)))
    this.#timers.shake = setTimeout(() => this.#abandon('handshake timeout'), this.#options.timeout)
  }

  #hello() {
    const sys = { type: 'js-websocket', version: '0.0.1', rsa: {}, dictVersion: this.#dictionary.version || undefined }
    this.#send(Packet.handshake, encodeText(JSON.stringify({ sys, user: this.#options.user ?? {} })))
  }

  #receive(bytes) {
    this.#listen()
    try {
      for (const { type, body } of this.#reader.read(bytes)) this.#packet(type, body)
    } catch (err) {
      this.#emit('error', err)
      this.#abandon('protocol error')
    }
  }

  #packet(type, body) {
    switch (type) {
      case Packet.handshake: return this.#welcome(JSON.parse(decodeText(body)))
      case Packet.heartbeat: return this.#answerBeat()
      case Packet.kick:
        this.#kicked = endingOfKick(decodeText(body))
        return this.#emit('kick', this.#kicked)
      case Packet.data: return this.#data(decodeMessage(body))
    }
  }

  #welcome({ code, msg, sys = {}, user }) {
    clearTimeout(this.#timers.shake)
    if (code !== 200) {
      this.#kicked = ending(Reason.handshake_refused, msg || `handshake refused (${code})`)
      return
    }
    this.#dictionary.update(sys)
    this.#beat = (sys.heartbeat ?? 0) * 1000
    this.#send(Packet.ack)
    this.#backoff.reset()
    this.#listen()
    this.#become(State.open)
    this.#opening?.resolve(user)
    this.#emit('open', user)
  }

  // The server is heard at least once an interval; two without a byte are a loss.
  #listen() {
    clearTimeout(this.#timers.silence)
    if (this.#beat > 0) this.#timers.silence = setTimeout(() => this.#abandon('server is silent'), this.#beat * 2 + 1000)
  }

  #answerBeat() {
    if (this.#beat === 0 || this.#timers.beat !== undefined) return
    this.#timers.beat = setTimeout(() => {
      this.#timers.beat = undefined
      if (this.#state === State.open) this.#send(Packet.heartbeat)
    }, this.#beat)
  }

  #data(m) {
    if (m.type === Message.response) return this.#answer(m)
    const route = m.code > 0 ? this.#dictionary.route(m.code) : m.route
    let value
    try {
      if (route === undefined) throw new ShaddockError(Code.decode, `no route has code ${m.code}`)
      value = this.#options.codec.decode(route, 'push', m.body)
    } catch (err) {
      return this.#emit('error', err)
    }
    this.#emit(route, value)
  }

  #answer(m) {
    const asked = this.#pending.get(m.id)
    if (!asked) return // it came after the time-out
    this.#pending.delete(m.id)
    clearTimeout(asked.timer)
    try {
      if (m.error) {
        const { code, msg } = JSON.parse(decodeText(m.body))
        asked.reject(new ShaddockError(code, msg, { route: asked.route }))
      } else {
        asked.resolve(this.#options.codec.decode(asked.route, 'response', m.body))
      }
    } catch (cause) {
      asked.reject(new ShaddockError(Code.decode, `the answer to ${asked.route} cannot be decoded`, { route: asked.route, cause }))
    }
  }

  #abandon(text) {
    const socket = this.#socket
    this.#lost(ending(Reason.client_gone, text))
    socket?.close(4000)
  }

  // The connection has ended: give up what waits for it, and come back if that
  // makes sense.
  #lost(why) {
    this.#drop(Code.lost, why)
    const wait = why.retry && this.#options.reconnect ? this.#backoff.next() : undefined
    if (wait === undefined) return this.#finish(why)
    this.#timers.retry = setTimeout(() => this.#dial(), wait)
    this.#become(State.waiting, why)
  }

  #drop(code, why) {
    this.#socket = undefined
    for (const name of ['beat', 'silence', 'shake']) {
      clearTimeout(this.#timers[name])
      this.#timers[name] = undefined
    }
    for (const { reject, route, timer } of this.#pending.values()) {
      clearTimeout(timer)
      reject(new ShaddockError(code, why.text, { route, ending: why }))
    }
    this.#pending.clear()
  }

  #finish(why) {
    this.#become(State.closed, why)
    this.#opening?.reject(new ShaddockError(Code.lost, why.text, { ending: why }))
  }
}

function deferred() {
  const d = {}
  d.promise = new Promise((resolve, reject) => Object.assign(d, { resolve, reject }))
  return d
}
