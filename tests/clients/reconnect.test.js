// What the client does when a connection ends, and how it keeps one alive,
// against a server that does as told.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { Backoff } from '../../cmd/server/web/sdk/backoff.js'
import { ending, endingOfClose } from '../../cmd/server/web/sdk/errors.js'
import { Code, Reason, ShaddockError } from '../../cmd/server/web/sdk/shaddock.js'
import { newClient, when } from './await.js'
import { fake, Package, say } from './fake.js'

async function pair(t, { sys, ...options } = {}) { // sys is the server's
  const server = await fake()
  t.after(() => server.close())
  const client = newClient(t, server.url, options)
  const opened = client.connect()
  const peer = await server.accept()
  await peer.shake(sys)
  await opened
  return { server, client, peer }
}

describe('a lost connection', () => {
  it('fails what was sent, keeps what waits, and comes back', async (t) => {
    const { server, client, peer } = await pair(t)
    const sent = client.request('a.a').catch((e) => e)
    await peer.next()
    peer.ws.terminate()
    const waiting = await when(client, 'waiting')
    assert.deepEqual([waiting.ending.ws, waiting.ending.retry, waiting.attempt], [1006, true, 1])
    assert.ok(waiting.retryAt > Date.now() - 50)
    const err = await sent
    assert.deepEqual([err.code, err.temporary, err.ending], [Code.lost, true, waiting.ending])
    assert.equal(client.notify('n.n'), false)
    const kept = client.request('b.b')
    const second = await server.accept()
    await second.shake()
    const m = await second.next()
    second.send(say.answer(m.id, 'b'))
    assert.deepEqual([m.route, await kept], ['b.b', 'b'])
  })

  it('sends again what may be handled twice, ahead of what came later', async (t) => {
    const { server, client, peer } = await pair(t)
    const first = client.request('a.a', { n: 1 }, { resend: true })
    await peer.next()
    peer.ws.terminate()
    await when(client, 'waiting')
    const later = client.request('b.b')
    const second = await server.accept()
    await second.shake()
    const [a, b] = [await second.next(), await second.next()]
    assert.deepEqual([a.route, JSON.parse(a.text), b.route], ['a.a', { n: 1 }, 'b.b'])
    second.send(say.answer(a.id, 'a'), say.answer(b.id, 'b'))
    assert.deepEqual(await Promise.all([first, later]), ['a', 'b'])
  })

  it('begins the next one with the hooks, before anything else', async (t) => {
    const server = await fake()
    t.after(() => server.close())
    const client = newClient(t, server.url)
    const resumed = []
    client.onOpen(async (session) => {
      resumed.push(session.resumed)
      await session.request('auth.login')
    })
    client.onOpen((session) => session.request('room.join'))
    client.connect()
    const early = client.request('x.y')
    for (let round = 0; round < 2; round++) {
      const peer = await server.accept()
      await peer.shake()
      const routes = []
      while (routes.length < 3 - round) {
        const m = await peer.next()
        routes.push(m.route)
        peer.send(say.answer(m.id, {}))
      }
      assert.deepEqual(routes, ['auth.login', 'room.join', 'x.y'].slice(0, 3 - round))
      await early
      await when(client, 'open')
      peer.ws.close(1001)
    }
    assert.deepEqual(resumed, [false, true])
  })

  it('tries again when a hook fails for now, and not when it fails for good', async (t) => {
    const server = await fake()
    t.after(() => server.close())
    const client = newClient(t, server.url)
    client.onOpen((session) => session.request('room.join'))
    const opened = client.connect()
    for (const code of [503, 403]) {
      const peer = await server.accept()
      await peer.shake()
      peer.send(say.error((await peer.next()).id, code, `code ${code}`))
    }
    const err = await opened.catch((e) => e)
    assert.deepEqual([err.code, err.msg, err.cause.code, client.state], [Code.closed, 'code 403', 403, 'closed'])
  })

  it('is retried as often as allowed', async (t) => {
    const server = await fake()
    const { url } = server
    await server.close()
    const attempts = []
    const client = newClient(t, url, { reconnect: { base: 1, attempts: 3 } })
    client.watch(({ state, attempt }) => state === 'connecting' && attempts.push(attempt))
    const err = await client.connect().catch((e) => e)
    assert.ok(err instanceof ShaddockError)
    assert.deepEqual(attempts, [0, 1, 2, 3])
  })

  it('is retried at once on request', async (t) => {
    const server = await fake()
    const { port, url } = server
    await server.close()
    const client = newClient(t, url, { reconnect: { base: 3_600_000 } })
    const opened = client.connect()
    await when(client, 'waiting')
    const back = await fake(port)
    t.after(() => back.close())
    client.retryNow()
    await (await back.accept()).shake()
    await opened
  })

  it('does not come back once closed, and connects again when asked', async (t) => {
    const { server, client, peer } = await pair(t)
    const asked = client.request('x.y').catch((e) => e)
    client.close('bye')
    assert.deepEqual([(await asked).code, client.status.ending.text], [Code.lost, 'bye'])
    assert.equal((await client.request('x.y').catch((e) => e)).code, Code.closed)
    await peer.next() // the request
    assert.equal((await peer.next()).closed, 1000)
    const opened = client.connect()
    await (await server.accept()).shake()
    await opened
  })
})

describe('a kick', () => {
  it('for good ends it, with the reason', async (t) => {
    const { client, peer } = await pair(t)
    const kicks = []
    client.onKick((why) => kicks.push(why))
    peer.send(say.kick({ reason: 'be nice', code: Reason.kicked }))
    const { ending: why } = await when(client, 'closed')
    assert.deepEqual(why, { code: 9, name: 'kicked', text: 'be nice', retry: false, ws: 4009, kicked: true })
    assert.deepEqual(kicks, [why])
  })

  it('that allows it is followed by a new connection', async (t) => {
    const { server, client, peer } = await pair(t)
    peer.send(say.kick({ reason: 'server is stopping', code: Reason.shutdown }))
    assert.equal((await when(client, 'waiting')).ending.name, 'shutdown')
    await (await server.accept()).shake()
    await when(client, 'open')
  })

  it('of another server, without a code or a body, is for good', async (t) => {
    for (const body of [{ reason: 'gone' }, undefined]) {
      const { client, peer } = await pair(t)
      peer.send(say.kick(body))
      assert.deepEqual((await when(client, 'closed')).ending.text, body ? 'gone' : 'kicked')
    }
  })

  it('comes behind the pushes sent before it', async (t) => {
    const { client, peer } = await pair(t)
    const seen = []
    client.on('*', (_, route) => seen.push(route))
    client.onKick(() => seen.push('kick'))
    const asked = client.request('x.y').then(() => seen.push('answer'))
    peer.send(say.answer((await peer.next()).id, {}), say.push('last', {}), say.kick({ reason: 'r', code: 9 }))
    peer.ws.close(4009)
    await asked
    await when(client, 'closed')
    assert.deepEqual(seen, ['answer', 'last', 'kick'])
  })
})

describe('heartbeats', () => {
  const beat = 0.05 // s; servers send whole seconds, the client reads any number

  it('leave once an interval, and are not answered when they are answers', async (t) => {
    const { peer } = await pair(t, { sys: { heartbeat: beat } })
    const begun = Date.now()
    for (let i = 0; i < 10; i++) {
      assert.equal((await peer.next()).type, Package.TYPE_HEARTBEAT)
      peer.send(say.heartbeat())
    }
    const took = Date.now() - begun
    assert.ok(took > 10 * 45 && took < 10 * 150, `10 intervals of 50 ms took ${took} ms`)
    assert.equal(peer.unread, 0)
  })

  it('answer a server that asks while our timers sleep', async (t) => {
    const { client, peer } = await pair(t, { sys: { heartbeat: 3600 } })
    peer.send(say.heartbeat()) // right behind the ack: wants no answer
    client.notify('first')
    assert.equal((await peer.next()).route, 'first')
    const now = Date.now
    t.mock.method(Date, 'now', () => now() + 3_500_000)
    peer.send(say.heartbeat())
    assert.equal((await peer.next()).type, Package.TYPE_HEARTBEAT)
  })

  it('that nobody answers end the connection', async (t) => {
    const { client } = await pair(t, { sys: { heartbeat: beat } })
    const { ending: why } = await when(client, 'waiting')
    assert.deepEqual([why.code, why.text], [Reason.idle, 'no word from the server'])
  })

  it('are off when the server names no interval', async (t) => {
    const { client, peer } = await pair(t, { sys: {} })
    peer.send(say.heartbeat())
    client.notify('x.y')
    assert.equal((await peer.next()).route, 'x.y')
  })
})

describe('pauses', () => {
  it('double up to the longest, and half of each is chance', () => {
    const longest = new Backoff({ base: 100, max: 1000, random: () => 1 })
    assert.deepEqual(Array.from({ length: 6 }, () => longest.next()), [100, 200, 400, 800, 1000, 1000])
    const shortest = new Backoff({ base: 100, max: 1000, random: () => 0 })
    assert.deepEqual(Array.from({ length: 6 }, () => shortest.next()), [50, 100, 200, 400, 500, 500])
  })
})

describe('reasons', () => {
  it('are those of the server', () => {
    const source = readFileSync(new URL('../../protocol/reason.go', import.meta.url), 'utf8')
    const code = Object.fromEntries([...source.matchAll(/^\t(Reason\w+)\s+Reason = (\d+)/gm)].map(([, name, n]) => [name, Number(n)]))
    const rows = [...source.matchAll(/^\t(Reason\w+):\s+\{"(\w+)", "(.*)", (true|false), (\d+)\},/gm)]
    assert.equal(rows.length, Object.keys(code).length)
    assert.equal(rows.length, Object.keys(Reason).length)
    for (const [, id, name, text, retry, ws] of rows) {
      assert.equal(Reason[name], code[id])
      assert.deepEqual(ending(code[id]), { code: code[id], name, text, retry: retry === 'true', ws: Number(ws) })
    }
  })

  it('are guessed from the WebSocket close code', () => {
    const rows = [[1000, 'client_gone', true], [1001, 'shutdown', true], [1006, 'client_gone', true], [1002, 'protocol', false], [1009, 'too_big', false], [4010, 'replaced', false]]
    for (const [ws, name, retry] of rows) {
      const why = endingOfClose(ws, '')
      assert.deepEqual([why.name, why.retry, why.ws], [name, retry, ws])
    }
  })

  it('that a newer server adds are for good', () => {
    assert.deepEqual(ending(99, 'moved'), { code: 99, name: 'reason_99', text: 'moved', retry: false, ws: 4099 })
  })
})

describe('a server that goes away', () => {
  const away = (peer, body) => peer.send(say.push('sys.goaway', body))

  it('is left for another, once no answer is on its way', async (t) => {
    const { client, peer } = await pair(t, { reconnect: { random: () => 0 } })
    const other = await fake()
    t.after(() => other.close())
    const heard = []
    client.on('sys.goaway', (body) => heard.push(body))
    const states = []
    client.watch(({ state, attempt }) => states.push([state, attempt]))

    const asked = client.request('a.a')
    const m = await peer.next()
    away(peer, { after: 60_000, url: other.url.replace('ws:', 'http:') })
    await peer.ws.ping()
    peer.send(say.push('onLate', {}))
    await new Promise((resolve) => client.on('onLate', resolve))
    assert.equal(client.state, 'open', 'an answer is on its way')
    assert.equal(other.backlog, 0)
    peer.send(say.answer(m.id, 'late'))
    assert.equal(await asked, 'late')

    const second = await other.accept()
    const kept = client.request('b.b')
    await second.shake()
    const n = await second.next()
    second.send(say.answer(n.id, 'b'))
    assert.deepEqual([n.route, await kept], ['b.b', 'b'], 'what is asked meanwhile waits')
    assert.equal((await peer.next()).closed, 1000)
    assert.equal(heard.length, 1)
    assert.deepEqual(states.slice(1).map(([state]) => state), ['waiting', 'connecting', 'handshaking', 'restoring', 'open'])
    assert.ok(states.every(([, attempt]) => attempt === 0), 'it is no failure')
  })

  it('is called again at its own address when it names none, and later too', async (t) => {
    const { server, client, peer } = await pair(t, { reconnect: { base: 1, random: () => 0 } })
    away(peer, { after: 100 })
    let last = await server.accept()
    await last.shake()
    await when(client, 'open')
    for (const url of ['http://127.0.0.1:1/', 'mailto:nobody']) { // nobody is there
      away(last, { after: 60_000, url })
      last = await server.accept()
      await last.shake()
      await when(client, 'open')
    }
  })

  it('is left at a moment of the client\'s own', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const { client, peer } = await pair(t, { reconnect: { random: () => 0.5 } })
    const told = new Promise((resolve) => client.on('sys.goaway', resolve))
    away(peer, { after: 1000 })
    await told
    t.mock.timers.tick(399)
    assert.equal(client.state, 'open')
    t.mock.timers.tick(1)
    assert.equal(client.state, 'connecting')
  })

  it('ends the connection itself, for clients that do not come back or do not understand', async (t) => {
    for (const [options, body] of [[{ reconnect: false }, { after: 0 }], [{}, 'soon'], [{}, { after: 'soon', url: ':' }]]) {
      const { client, peer } = await pair(t, options)
      const told = new Promise((resolve) => client.on('sys.goaway', resolve))
      away(peer, body)
      await told
      await client.request('a.a', {}, { timeout: 50 }).catch(() => {}) // some time
      assert.equal(client.state, 'open')
    }
  })
})
