// What can go wrong, in numbers that programs may test and never change.

/**
 * The codes of a failed request. Those above 0 come from the server, and games
 * add their own; those below 0 are this client's.
 */
export const Code = Object.freeze({
  badRequest: 400, // the body cannot be decoded, or is refused by a rule
  unauthenticated: 401, // log in first
  refused: 403, // the game says no
  noRoute: 404, // the server has no such route
  timeout: 408, // no answer in time; also when this client stopped waiting
  conflict: 409, // the request does not fit the state
  limited: 429, // too many requests
  internal: 500, // the handler failed
  unavailable: 503, // not there now: try again

  lost: -1, // the connection ended before the answer: it may have been handled, or not
  closed: -2, // the client is closed: nothing was sent
  aborted: -3, // the caller's signal
  busy: -4, // more requests are waiting for the connection than may
  tooBig: -5, // it does not fit into a package
  protocol: -6, // the other side does not speak the protocol
  decode: -7, // the answer's body is not what the codec expects
})

/** A failure with a code. `ending` says how the connection ended, when that is the cause. */
export class ShaddockError extends Error {
  /**
   * @param {number} code
   * @param {string} msg
   * @param {{route?: string, body?: unknown, ending?: import('./shaddock.js').Ending, cause?: unknown}} [more]
   */
  constructor(code, msg, { route, body, ending, cause } = {}) {
    super(msg, cause === undefined ? undefined : { cause })
    this.name = 'ShaddockError'
    this.code = code
    this.route = route
    this.body = body
    this.ending = ending
  }

  /** The text for the player, as the server sends it in {"code","msg"}. */
  get msg() {
    return this.message
  }

  /** Whether the same request may well succeed a little later. */
  get temporary() {
    switch (this.code) {
      case Code.timeout:
      case Code.limited:
      case Code.unavailable:
      case Code.lost:
      case Code.busy:
        return true
    }
    return false
  }
}

/**
 * Why a connection ended, by the code that a kick carries: name, text, whether
 * connecting again by itself makes sense, and the WebSocket close code. The same
 * table stands in protocol/reason.go; a test holds them together.
 * @type {ReadonlyArray<readonly [name: string, text: string, retry: boolean, ws: number]>}
 */
const reasons = Object.freeze([
  ['none', '', false, 1000],
  ['client_gone', 'connection closed', true, 1000],
  ['protocol', 'protocol error', false, 1002],
  ['handshake_timeout', 'handshake timeout', true, 4003],
  ['handshake_refused', 'handshake refused', false, 4004],
  ['idle', 'no heartbeat', true, 4005],
  ['slow', 'connection too slow', true, 4006],
  ['too_big', 'message too big', false, 1009],
  ['rate_limited', 'too many messages', false, 1008],
  ['kicked', 'kicked', false, 4009],
  ['replaced', 'logged in elsewhere', false, 4010],
  ['shutdown', 'server is stopping', true, 1001],
  ['addr_limit', 'too many connections from this address', true, 1008],
  ['overload', 'server is full', true, 1013],
  ['internal', 'internal error', true, 1011],
  ['unmasked', 'frames must be masked', false, 1002],
  ['text', 'binary messages only', false, 1003],
  ['over', 'it is over', false, 4017],
])

/** The codes of the reasons by name. */
export const Reason = Object.freeze(Object.fromEntries(reasons.map(([name], code) => [name, code])))

/**
 * An ending for a reason.
 * @param {number} code
 * @param {string} [text]
 * @returns {import('./shaddock.js').Ending}
 */
export function ending(code, text) {
  const [name, standard, retry, ws] = reasons[code] ?? [`reason_${code}`, 'connection closed', false, 4000 + code]
  return Object.freeze({ code, name, text: text || standard, retry, ws })
}

/**
 * The ending told by a kick. Other servers send no code: a kick is a kick.
 * @param {string} body
 */
export function endingOfKick(body) {
  let told
  try {
    told = JSON.parse(body)
  } catch {
    // Some servers send none, or text: what it means is known all the same.
  }
  const code = Number.isInteger(told?.code) && told.code > 0 ? told.code : Reason.kicked
  return Object.freeze({ ...ending(code, told?.reason), kicked: true })
}

/**
 * The ending told by a WebSocket close alone. Codes that reasons share (1000,
 * 1002, 1008) mean the first of them; what nobody knows is the network's doing.
 * @param {number} ws
 * @param {string} [text]
 */
export function endingOfClose(ws, text) {
  const code = reasons.findIndex((r) => r[3] === ws)
  if (code > Reason.none) return Object.freeze({ ...ending(code, text), ws })
  const gone = ws === 1000 || ws === 1005 ? 'closed by the server' : 'connection lost'
  return Object.freeze({ ...ending(Reason.client_gone, text || gone), ws })
}
