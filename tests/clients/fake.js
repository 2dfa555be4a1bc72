// A server that does what a test tells it. Its bytes are made and read by
// pomelo-protocol, so that our client does not talk to its own codec.
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { WebSocketServer } from 'ws'

const require = createRequire(import.meta.url)
export const { Package, Message, strencode, strdecode } = require('pomelo-protocol')

const jsonBytes = (value) => strencode(JSON.stringify(value))
const packet = (type, body) => Buffer.from(Package.encode(type, body))

/** The packages a server sends, by what they mean. */
export const say = {
  welcome: (sys = {}, more = {}) => packet(Package.TYPE_HANDSHAKE, jsonBytes({ code: 200, sys, ...more })),
  refuse: (code, msg) => packet(Package.TYPE_HANDSHAKE, jsonBytes({ code, msg })),
  heartbeat: () => packet(Package.TYPE_HEARTBEAT),
  push: (route, body) => packet(Package.TYPE_DATA, Message.encode(0, Message.TYPE_PUSH, typeof route === 'number' ? 1 : 0, route, jsonBytes(body))),
  answer: (id, body) => packet(Package.TYPE_DATA, Message.encode(id, Message.TYPE_RESPONSE, 0, null, Buffer.isBuffer(body) ? body : jsonBytes(body))),
  error: (id, code, msg) => {
    const message = Message.encode(id, Message.TYPE_RESPONSE, 0, null, jsonBytes({ code, msg }))
    message[0] |= 0x20
    return packet(Package.TYPE_DATA, message)
  },
  kick: (body) => packet(Package.TYPE_KICK, body === undefined ? undefined : jsonBytes(body)),
}

/** One connection, as the server sees it. */
class Peer {
  #inbox = []
  #waiting

  constructor(ws) {
    this.ws = ws
    ws.on('message', (data) => {
      for (const p of [Package.decode(data)].flat()) this.#arrive(p)
    })
    ws.on('close', (code) => this.#arrive({ closed: code }))
  }

  #arrive(p) {
    this.#inbox.push(p)
    this.#waiting?.()
  }

  /** The next package; for one of data, its message. */
  async next() {
    while (this.#inbox.length === 0) await new Promise((resolve) => { this.#waiting = resolve })
    const p = this.#inbox.shift()
    if (p.type !== Package.TYPE_DATA) return { ...p, text: p.body ? strdecode(p.body) : '' }
    const m = Message.decode(p.body)
    return { ...p, ...m, pkg: p.type, text: strdecode(m.body) }
  }

  /** The next package that is no heartbeat. */
  async nextData() {
    for (;;) {
      const p = await this.next()
      if (p.type !== Package.TYPE_HEARTBEAT || p.pkg) return p
    }
  }

  get unread() {
    return this.#inbox.length
  }

  /** Sends packages in one WebSocket message. */
  send(...packets) {
    this.ws.send(Buffer.concat(packets))
  }

  /** Goes through the handshake. Resolves to what the client said. */
  async shake(sys, more) {
    const hello = await this.next()
    this.send(say.welcome(sys, more))
    const ack = await this.next()
    if (ack.type !== Package.TYPE_HANDSHAKE_ACK) throw new Error(`package ${ack.type} instead of the ack`)
    return JSON.parse(hello.text)
  }
}

/** Listens on a free port, or again on one that was free before. */
export async function fake(port = 0) {
  const server = new WebSocketServer({ port, host: '127.0.0.1' })
  await once(server, 'listening')
  const peers = []
  let waiting
  server.on('connection', (ws) => {
    peers.push(new Peer(ws))
    waiting?.()
  })
  return {
    port: server.address().port,
    url: `ws://127.0.0.1:${server.address().port}/`,
    /** How many connections came and were not accepted. */
    get backlog() {
      return peers.length
    },
    async accept() {
      while (peers.length === 0) await new Promise((resolve) => { waiting = resolve })
      return peers.shift()
    },
    async close() {
      for (const ws of server.clients) ws.terminate()
      server.close()
      await once(server, 'close')
    },
  }
}
