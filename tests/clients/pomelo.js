// Loads the unmodified pomelo-jsclient-websocket in Node. It is written for a
// page, so it finds here the five globals that a page would give it. Each call
// loads it anew: the module holds one connection.
import { EventEmitter } from 'node:events'
import { createRequire } from 'node:module'
import { WebSocket } from 'ws'

const require = createRequire(import.meta.url)

// With a window, and only then, pomelo-protocol does as in a browser: text is
// CESU-8 by its own loops, not a Buffer's UTF-8.
globalThis.window = globalThis
const { Package, strencode } = require('pomelo-protocol')
export { strencode }

// It talks to the console at every turn.
console.log = () => {}
const complain = console.error
console.error = (...args) => { if (!/^socket (close|error)/.test(args[0])) complain(...args) }

/** Packages of all pomelo clients of this process, by type. */
export const counts = { in: {}, out: {} }

/** A WebSocket class that counts packages: clients tell nobody about heartbeats. */
export function countPackages(Socket, seen) {
  const count = (side, data) => {
    for (const { type } of [Package.decode(data)].flat()) side[type] = (side[type] ?? 0) + 1
  }
  return class extends Socket {
    constructor(url) {
      super(url)
      this.on('message', (data) => count(seen.in, data))
    }

    send(data) {
      count(seen.out, data)
      super.send(data)
    }
  }
}

const CountingSocket = countPackages(WebSocket, counts)

export function loadPomelo() {
  const kept = new Map()
  globalThis.WebSocket = CountingSocket
  globalThis.EventEmitter = EventEmitter
  globalThis.localStorage = { getItem: (k) => kept.get(k) ?? null, setItem: (k, v) => kept.set(k, v) }
  globalThis.Protocol ??= require('pomelo-protocol')
  const path = require.resolve('pomelo-jsclient-websocket')
  delete require.cache[path]
  const pomelo = require(path)
  EventEmitter.call(pomelo)
  return pomelo
}

/** Opens a client and resolves when its handshake is done. */
export function connect({ host, port }) {
  const pomelo = loadPomelo()
  return new Promise((resolve, reject) => {
    pomelo.on('io-error', reject)
    pomelo.init({ host, port, log: false }, () => resolve(pomelo))
  })
}

/** pomelo.request as a promise. */
export const request = (pomelo, route, msg) => new Promise((resolve) => pomelo.request(route, msg, resolve))

/** Resolves to the next push of a route. */
export const next = (pomelo, route) => new Promise((resolve) => pomelo.once(route, resolve))
