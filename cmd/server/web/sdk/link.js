import { ending, endingOfClose, endingOfKick, Reason, ShaddockError } from './errors.js'
import { Inbox } from './inbox.js'
import { decodeMessage, decodeText, encodePacket, encodeText, Message, Packet, PacketReader } from './wire.js'

const VERSION = '0.1.0'
const CONNECTING = 0
const HANDSHAKING = 1
const OPEN = 2
const ENDED = 3

/** What is sent faster than the network takes it, in bytes, before notifies are refused. */
const MAX_BUFFERED = 1 << 20

/**
 * Who a link reports to. Nothing is called any more once `ended` was.
 * @typedef {object} LinkOwner
 * @property {() => void} shaking the network is there, the handshake begins
 * @property {(welcome: import('./shaddock.js').Welcome) => void} opened
 * @property {(m: import('./wire.js').Decoded) => boolean} message returns whether it settled a promise; must not throw
 * @property {(why: import('./shaddock.js').Ending) => void} ended
 */

/**
 * One connection from dialling to its end; it is never used again. It knows
 * packages, the handshake and heartbeats; what messages mean is its owner's
 * business, and so is what to do about the end.
 */
export class Link {
  #phase = CONNECTING
  #reader = new PacketReader()
  #inbox = new Inbox()
  #heartbeat = 0 // milliseconds, 0: none
  #lastSent = 0
  #lastHeard = 0
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer

  /**
   * @param {string} url
   * @param {{WebSocket: any, timeout: number, dictVersion: string, sys: object, user: () => unknown}} how
   * @param {LinkOwner} owner
   */
  constructor(url, how, owner) {
    this.how = how
    this.owner = owner
    const ws = (this.ws = new how.WebSocket(url))
    this.#timer = setTimeout(() => this.end(ending(Reason.handshake_timeout)), how.timeout)
    ws.binaryType = 'arraybuffer'
    ws.onopen = () => this.#shake()
    ws.onmessage = (/** @type {{data: unknown}} */ e) => this.#receive(e.data)
    ws.onerror = () => {} // a close follows, and says the same
    ws.onclose = (/** @type {{code: number, reason: string}} */ e) => {
      // Behind what arrived before it: a kick knows better why.
      this.#inbox.add(true, () => this.end(endingOfClose(e.code, e.reason)))
    }
  }

  /** Whether more is sent than the network takes. */
  get congested() {
    return this.ws.bufferedAmount > MAX_BUFFERED
  }

  /**
   * Sends one message. False when the handshake is not done.
   * @param {Uint8Array} message
   */
  send(message) {
    if (this.#phase !== OPEN) return false
    this.#write(encodePacket(Packet.data, message))
    return true
  }

  /**
   * Ends the connection, once, whoever wants it. Settles no promise by itself.
   * @param {import('./shaddock.js').Ending} why
   */
  end(why) {
    if (this.#phase === ENDED) return false
    this.#phase = ENDED
    clearTimeout(this.#timer)
    // Not before it is open: closing a WebSocket that still dials is an error event in some.
    if (this.ws.readyState === 1) this.ws.close(1000)
    else if (this.ws.readyState === 0) this.ws.onopen = () => this.ws.close(1000)
    this.owner.ended(why)
    return false
  }

  async #shake() {
    if (this.#phase !== CONNECTING) return
    this.#phase = HANDSHAKING
    this.owner.shaking()
    const { sys, dictVersion, user } = this.how
    let hello
    try {
      const said = { type: 'shaddock-js', version: VERSION, dictVersion: dictVersion || undefined, ...sys }
      hello = encodeText(JSON.stringify({ sys: said, user: (await user()) ?? {} }))
    } catch (err) {
      this.#fail(err)
      return
    }
    // The end may have come while `user` was away.
    if (this.#phase === HANDSHAKING) this.#write(encodePacket(Packet.handshake, hello))
  }

  /** @param {unknown} data */
  #receive(data) {
    if (this.#phase === ENDED) return
    this.#lastHeard = Date.now()
    try {
      if (typeof data === 'string') throw new TypeError('a WebSocket message of the protocol is binary')
      for (const p of this.#reader.read(new Uint8Array(/** @type {ArrayBuffer} */ (data)))) this.#packet(p)
    } catch (err) {
      this.#fail(err)
    }
  }

  /** @param {{type: number, body: Uint8Array}} p */
  #packet({ type, body }) {
    switch (type) {
      case Packet.heartbeat:
        this.#beat()
        break
      case Packet.handshake:
        this.#welcome(JSON.parse(decodeText(body)))
        break
      case Packet.data: {
        if (this.#phase !== OPEN) break
        const m = decodeMessage(body)
        this.#inbox.add(m.type === Message.push, () => this.#phase === OPEN && this.owner.message(m))
        break
      }
      case Packet.kick: {
        const why = endingOfKick(decodeText(body))
        this.#inbox.add(true, () => this.end(why))
      }
    }
  }

  /** @param {{code: number, msg?: string, sys?: any, user?: unknown}} res */
  #welcome(res) {
    if (this.#phase !== HANDSHAKING) throw new TypeError('a second handshake')
    if (res.code !== 200) {
      const text = res.msg || (res.code === 501 ? 'this client is too old' : 'handshake refused')
      this.end(Object.freeze({ ...ending(Reason.handshake_refused, text), handshake: res.code }))
      return
    }
    clearTimeout(this.#timer)
    this.#phase = OPEN
    this.#write(encodePacket(Packet.ack))
    this.#heartbeat = (res.sys?.heartbeat ?? 0) * 1000
    if (this.#heartbeat > 0) this.#schedule(this.#heartbeat)
    this.owner.opened(res)
  }

  /**
   * A heartbeat came. Ours leave by the timer; but browsers let the timers of a
   * hidden tab sleep, and a server that has not heard from us in an interval
   * asks. It answers ours with one too, which must not be answered again.
   */
  #beat() {
    if (this.#phase !== OPEN || this.#heartbeat === 0) return
    if (Date.now() - this.#lastSent >= this.#heartbeat * 0.9) this.#write(encodePacket(Packet.heartbeat))
  }

  /** @param {number} wait */
  #schedule(wait) {
    this.#timer = setTimeout(() => {
      const silent = Date.now() - this.#lastHeard
      if (silent > this.#heartbeat * 2.5) {
        this.end(ending(Reason.idle, 'no word from the server'))
        return
      }
      this.#write(encodePacket(Packet.heartbeat))
      this.#schedule(this.#heartbeat)
    }, wait)
  }

  /** @param {Uint8Array} packet */
  #write(packet) {
    this.#lastSent = Date.now()
    this.ws.send(packet)
  }

  /** @param {unknown} err */
  #fail(err) {
    const text = err instanceof ShaddockError || err instanceof TypeError ? err.message : 'not the pomelo protocol'
    this.end(ending(Reason.protocol, text))
  }
}
