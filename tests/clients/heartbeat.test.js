// Ten heartbeats at an interval of a second, which is real time: clients read
// whole seconds. Both clients wait at the same time.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { WebSocket } from 'ws'
import { newClient } from './await.js'
import { connect, counts, countPackages, request } from './pomelo.js'
import { serve } from './server.js'

const HEARTBEAT = 3
const DEADLINE = 25_000 // ms

/** Waits until ten heartbeats went each way, or `ended` says that it is over. */
async function ten(seen, ended) {
  for (const deadline = Date.now() + DEADLINE; Date.now() < deadline && !ended();) {
    if (seen.in[HEARTBEAT] >= 10 && seen.out[HEARTBEAT] >= 10) return
    await pause(50)
  }
  assert.fail(`heartbeats: ${seen.in[HEARTBEAT]} in, ${seen.out[HEARTBEAT]} out`)
}

describe('ten heartbeats', { concurrency: true }, () => {
  let server
  before(async () => { server = await serve('--heartbeat', '1s') })
  after(async () => assert.equal(await server.stop(), 0))

  it('go between pomelo-jsclient-websocket and the server', async () => {
    const p = await connect(server.players)
    let ended = false
    p.on('close', () => { ended = true })
    p.on('heartbeat timeout', () => { ended = true })
    await ten(counts, () => ended)
    assert.deepEqual(await request(p, 'room.echo', { still: 'here' }), { still: 'here' })
    p.disconnect()
  })

  it('go between our client and the server', async (t) => {
    const seen = { in: {}, out: {} }
    const client = newClient(t, server.ws, { WebSocket: countPackages(WebSocket, seen), reconnect: false })
    await client.connect()
    await ten(seen, () => client.state !== 'open')
    assert.deepEqual(await client.request('room.echo', { still: 'here' }), { still: 'here' })
  })
})
