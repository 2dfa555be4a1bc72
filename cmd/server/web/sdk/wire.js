// The bytes of the pomelo protocol as values: no socket, no clock, no client.
//
//   package   type u8 | length of body u24, big-endian | body
//   message   flag u8 | [id, base-128] | [route] | body      (the body of a data package)
//
// A route is one byte of length and UTF-8, or, compressed, a u16 code of the
// dictionary. See the package comment of `protocol` for the whole of it.

import { Code, ShaddockError } from './errors.js'

/** The first byte of a package. */
export const Packet = Object.freeze({ handshake: 1, ack: 2, heartbeat: 3, data: 4, kick: 5 })

/** Bits 1 to 3 of a message's flag byte. */
export const Message = Object.freeze({ request: 0, notify: 1, response: 2, push: 3 })

const HEAD = 4
const MAX_BODY = 2 ** 24 - 1
const MAX_ROUTE = 255
const FLAG = Object.freeze({ compressed: 0x01, deflated: 0x10, error: 0x20 })

const utf8 = new TextEncoder()
const text = new TextDecoder()

/** @param {string} s */
export const encodeText = (s) => utf8.encode(s)

/** @param {Uint8Array} bytes */
export const decodeText = (bytes) => text.decode(bytes)

/** @param {string} what */
const broken = (what) => new ShaddockError(Code.protocol, what)

const NOTHING = new Uint8Array(0)

/**
 * One whole package.
 * @param {number} type
 * @param {Uint8Array} [body]
 */
export function encodePacket(type, body = NOTHING) {
  const n = body.length
  if (n > MAX_BODY) throw new ShaddockError(Code.tooBig, `a package holds ${MAX_BODY} bytes, not ${n}`)
  const out = new Uint8Array(HEAD + n)
  out.set([type, n >> 16, (n >> 8) & 0xff, n & 0xff])
  out.set(body, HEAD)
  return out
}

/**
 * Cuts packages out of a stream. A WebSocket message may hold several, and, from
 * some servers, part of one: the unfinished rest is kept for the next call.
 */
export class PacketReader {
  /** @type {Uint8Array} */
  #rest = NOTHING

  /**
   * The packages completed by these bytes. Bodies alias the input. Throws when
   * the other side does not speak the protocol; the stream is of no use then.
   * @param {Uint8Array} bytes
   */
  read(bytes) {
    if (this.#rest.length > 0) bytes = concat(this.#rest, bytes)
    const packets = []
    let at = 0
    while (bytes.length - at >= HEAD) {
      const type = bytes[at]
      if (type < Packet.handshake || type > Packet.kick) throw broken(`no package has type ${type}`)
      const end = at + HEAD + ((bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3])
      if (end > bytes.length) break
      packets.push({ type, body: bytes.subarray(at + HEAD, end) })
      at = end
    }
    this.#rest = at < bytes.length ? bytes.slice(at) : NOTHING
    return packets
  }
}

/**
 * @param {Uint8Array} a
 * @param {Uint8Array} b
 */
function concat(a, b) {
  const out = new Uint8Array(a.length + b.length)
  out.set(a)
  out.set(b, a.length)
  return out
}

/**
 * One message. With a `code` the route travels compressed.
 * @param {{type: number, id?: number, route?: string, code?: number, body?: Uint8Array}} m
 */
export function encodeMessage({ type, id = 0, route = '', code = 0, body = NOTHING }) {
  const head = [type << 1]
  if (hasID(type)) {
    for (; id >= 0x80; id = Math.floor(id / 0x80)) head.push((id % 0x80) | 0x80)
    head.push(id)
  }
  /** @type {Uint8Array} */
  let name = NOTHING
  if (hasRoute(type) && code > 0) {
    head[0] |= FLAG.compressed
    head.push(code >> 8, code & 0xff)
  } else if (hasRoute(type)) {
    name = encodeText(route)
    if (name.length > MAX_ROUTE) throw new ShaddockError(Code.tooBig, `a route holds ${MAX_ROUTE} bytes: ${route}`)
    head.push(name.length)
  }
  const out = new Uint8Array(head.length + name.length + body.length)
  out.set(head)
  out.set(name, head.length)
  out.set(body, head.length + name.length)
  return out
}

/** @typedef {ReturnType<typeof decodeMessage>} Decoded */

/**
 * The message in a data package. `body` aliases the input. `code` is 0 unless
 * the route is compressed; then `route` is empty.
 * @param {Uint8Array} bytes
 */
export function decodeMessage(bytes) {
  if (bytes.length === 0) throw broken('a message has a flag byte')
  const flag = bytes[0]
  const type = (flag >> 1) & 0x07
  if (type > Message.push) throw broken(`no message has type ${type}`)
  const m = {
    type, id: 0, route: '', code: 0, body: bytes,
    error: (flag & FLAG.error) !== 0,
    deflated: (flag & FLAG.deflated) !== 0,
  }
  let at = 1
  if (hasID(type)) [m.id, at] = decodeID(bytes, at)
  if (hasRoute(type)) {
    const compressed = (flag & FLAG.compressed) !== 0
    const end = at + (compressed ? 2 : 1 + bytes[at])
    if (!(end <= bytes.length)) throw broken('a route ends within its message') // NaN, too, is no end
    if (compressed) m.code = (bytes[at] << 8) | bytes[at + 1]
    else m.route = decodeText(bytes.subarray(at + 1, end))
    at = end
  }
  m.body = bytes.subarray(at)
  return m
}

/**
 * @param {Uint8Array} bytes
 * @param {number} at
 * @returns {[id: number, end: number]}
 */
function decodeID(bytes, at) {
  // Multiplied, not shifted: shifts end at 32 bits.
  for (let id = 0, unit = 1; at < bytes.length; unit *= 0x80) {
    const b = bytes[at++]
    id += (b & 0x7f) * unit
    if (id > Number.MAX_SAFE_INTEGER) break
    if (b < 0x80) return [id, at]
  }
  throw broken('an id ends within 53 bits')
}

/** @param {number} type */
const hasID = (type) => type === Message.request || type === Message.response

/** @param {number} type */
const hasRoute = (type) => type !== Message.response
