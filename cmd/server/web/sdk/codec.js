// How values become bodies and back. A codec is any object of this form; bytes
// (Uint8Array) given as a body are sent as they are, whatever the codec.

import { decodeText, encodeText } from './wire.js'

/**
 * JSON text, the default of every pomelo server. An empty body is undefined.
 * @type {import('./shaddock.js').Codec}
 */
export const json = Object.freeze({
  name: 'json',
  encode: (_route, _kind, value) => encodeText(JSON.stringify(value ?? {})),
  decode: (_route, _kind, bytes) => (bytes.length === 0 ? undefined : JSON.parse(decodeText(bytes))),
})

/**
 * Bytes as they are, copied out of the receive buffer.
 * @type {import('./shaddock.js').Codec}
 */
export const raw = Object.freeze({
  name: 'raw',
  encode: (_route, _kind, value) => /** @type {Uint8Array} */ (value ?? new Uint8Array(0)),
  decode: (_route, _kind, bytes) => bytes.slice(),
})
