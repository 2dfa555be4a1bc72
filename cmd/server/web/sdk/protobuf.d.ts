import type { Codec } from './shaddock.js'

/** The message types of a route, by their full names in the schema. */
export interface Bodies {
  request?: string
  notify?: string
  response?: string
  push?: string
}

/**
 * A codec for `new Client(url, { codec })`. `descriptor` is a schema in the JSON
 * form of protobufjs, as `pbjs -t json game.proto` prints it. Values are plain
 * objects: fields that were not sent have their defaults, 64-bit integers are
 * numbers, and so are enums. A value that does not fit its type fails, and so does a
 * route or kind that is not in `routes`.
 *
 *     const codec = protobuf(schema, {
 *       'room.join': { request: 'JoinRequest', response: 'JoinReply' },
 *       onMessage: { push: 'Message' },
 *     })
 */
export function protobuf(descriptor: object, routes: Record<string, Bodies>): Codec
