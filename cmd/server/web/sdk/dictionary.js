/**
 * The route dictionary of a server: short codes for long routes. It is kept from
 * connection to connection, since a server does not send again what a client
 * says it has.
 */
export class Dictionary {
  /** @type {Map<string, number>} */
  #codes = new Map()
  /** @type {Map<number, string>} */
  #routes = new Map()

  /** What the server calls this dictionary; empty when it has no name. */
  version = ''

  /**
   * Takes over what a handshake response says. A server that has none, or
   * another one than last time, replaces what was.
   * @param {{dict?: Record<string, number>, routeToCode?: Record<string, number>, dictVersion?: string, useDict?: boolean, [more: string]: unknown}} sys
   */
  update(sys) {
    const codes = sys.dict ?? sys.routeToCode
    if (!codes && sys.useDict && this.version !== '') return // ours is current
    this.#codes = new Map(Object.entries(codes ?? {}))
    this.#routes = new Map([...this.#codes].map(([route, code]) => [code, route]))
    this.version = codes ? (sys.dictVersion ?? '') : ''
  }

  /** The code of a route, 0 when it has none. @param {string} route */
  code(route) {
    return this.#codes.get(route) ?? 0
  }

  /** The route of a code, undefined when it is unknown. @param {number} code */
  route(code) {
    return this.#routes.get(code)
  }
}
