// Protobuf bodies for shaddock.js, by a vendored protobufjs. Pages that do not
// import this module do not load it.

import './protobufjs/protobuf.light.min.js' // sets globalThis.protobuf

/**
 * A codec for the routes of a schema. Types are in protobuf.d.ts.
 * @param {object} descriptor a schema in the JSON form of protobufjs
 * @param {Record<string, {request?: string, notify?: string, response?: string, push?: string}>} routes
 * @returns {import('./shaddock.js').Codec}
 */
export function protobuf(descriptor, routes) {
  const root = /** @type {any} */ (globalThis).protobuf.Root.fromJSON(descriptor)
  root.resolveAll()
  /** @type {Map<string, any>} */
  const types = new Map()
  for (const [route, kinds] of Object.entries(routes)) {
    for (const [kind, name] of Object.entries(kinds)) types.set(`${kind} ${route}`, root.lookupType(name))
  }
  /**
   * @param {string} route
   * @param {string} kind
   */
  const typeOf = (route, kind) => {
    const type = types.get(`${kind} ${route}`)
    if (!type) throw new TypeError(`the schema names no ${kind} of ${route}`)
    return type
  }
  return {
    name: 'protobuf',
    encode(route, kind, value) {
      const type = typeOf(route, kind)
      const wrong = type.verify(value ?? {})
      if (wrong) throw new TypeError(`${route}: ${wrong}`)
      return type.encode(type.fromObject(value ?? {})).finish()
    },
    decode(route, kind, bytes) {
      const type = typeOf(route, kind)
      return type.toObject(type.decode(bytes), { defaults: true, longs: Number })
    },
  }
}
