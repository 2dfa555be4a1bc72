import { Client } from '../../cmd/server/web/sdk/shaddock.js'
import { WebSocket } from 'ws'

/** A client whose pauses are short and whose errors fail the test. */
export function newClient(t, url, options = {}) {
  const client = new Client(url, {
    WebSocket,
    reconnect: { base: 10, max: 40 },
    onError: (err) => assertNever(err),
    ...options,
  })
  t.after(() => client.close())
  return client
}

function assertNever(err) {
  throw err
}

/** Resolves to the status once the client is in a state. */
export function when(client, state) {
  return new Promise((resolve) => {
    const stop = client.watch((status) => {
      if (status.state !== state) return
      resolve(status)
      queueMicrotask(() => stop()) // watch calls before it returns
    })
  })
}

/** Resolves to the next push of a route. */
export const pushed = (client, route) => new Promise((resolve) => {
  const stop = client.on(route, (body) => {
    stop()
    resolve(body)
  })
})
