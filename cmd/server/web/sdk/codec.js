// How values become bodies and back. A codec is any object of this form; bytes
// (Uint8Array) given as a body are sent as they are, whatever the codec.

import { decodeText, encodeText } from './wire.js'

/** @typedef {import('./shaddock.js').Codec} Codec */

/** JSON text, the default of every pomelo server. An empty body is undefined. */
export const json = Object.freeze(/** @type {Codec} */ ({
  name: 'json',
  encode: (_route, _kind, value) => encodeText(JSON.stringify(value ?? {})),
  decode: (_route, _kind, bytes) => (bytes.length === 0 ? undefined : JSON.parse(decodeText(bytes))),
}))

/** Bytes as they are, copied out of the receive buffer. */
export const raw = Object.freeze(/** @type {Codec} */ ({
  name: 'raw',
  encode: (_route, _kind, value) => /** @type {Uint8Array} */ (value ?? new Uint8Array(0)),
  decode: (_route, _kind, bytes) => bytes.slice(),
}))
