// Loads the unmodified pomelo-jsclient-websocket in Node. It is written for a
// page, so it finds here the five globals that a page would give it. Each call
// loads it anew: the module holds one connection.
import { EventEmitter } from 'node:events'
import { createRequire } from 'node:module'
import { WebSocket } from 'ws'

const require = createRequire(import.meta.url)

export function loadPomelo() {
  const kept = new Map()
  globalThis.WebSocket = WebSocket
  globalThis.EventEmitter = EventEmitter
  globalThis.localStorage = { getItem: (k) => kept.get(k) ?? null, setItem: (k, v) => kept.set(k, v) }
  globalThis.window = globalThis
  require('pomelo-protocol') // sets window.Protocol when there is a window
  globalThis.Protocol ??= require('pomelo-protocol')
  const path = require.resolve('pomelo-jsclient-websocket')
  delete require.cache[path]
  const pomelo = require(path)
  EventEmitter.call(pomelo)
  return pomelo
}

// connect opens a client and resolves when its handshake is done.
export function connect({ host, port }) {
  const pomelo = loadPomelo()
  return new Promise((resolve, reject) => {
    pomelo.on('io-error', reject)
    pomelo.init({ host, port, log: false }, () => resolve(pomelo))
  })
}

// request is pomelo.request as a promise.
export const request = (pomelo, route, msg) => new Promise((resolve) => pomelo.request(route, msg, resolve))

// next resolves to the next push of a route.
export const next = (pomelo, route) => new Promise((resolve) => pomelo.once(route, resolve))
