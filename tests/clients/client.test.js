// The client's requests, pushes and endings, against a server that does as told.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Code, raw, Reason } from '../../cmd/server/web/sdk/shaddock.js'
import { newClient, pushed, when } from './await.js'
import { fake, say } from './fake.js'

/** A client and its first connection, behind the handshake. */
async function pair(t, { sys, ...options } = {}) { // sys is the server's
  const server = await fake()
  t.after(() => server.close())
  const client = newClient(t, server.url, options)
  const opened = client.connect()
  const peer = await server.accept()
  const hello = await peer.shake(sys)
  await opened
  return { server, client, peer, hello }
}

describe('handshake', () => {
  it('says who it is, with the user that is asked for each time', async (t) => {
    let tokens = 0
    const { hello, peer, server } = await pair(t, { user: async () => ({ token: ++tokens }) })
    assert.deepEqual(hello, { sys: { type: 'shaddock-js', version: '0.1.0' }, user: { token: 1 } })
    peer.ws.close(1001)
    const again = await (await server.accept()).shake()
    assert.deepEqual(again.user, { token: 2 })
  })

  it('goes through the states in order', async (t) => {
    const server = await fake()
    t.after(() => server.close())
    const client = newClient(t, server.url)
    const states = []
    client.watch(({ state }) => states.push(state))
    client.onOpen(() => {})
    const opened = client.connect()
    await (await server.accept()).shake({ heartbeat: 30 })
    assert.equal((await opened).sys.heartbeat, 30)
    client.close()
    assert.deepEqual(states, ['idle', 'connecting', 'handshaking', 'restoring', 'open', 'closed'])
  })

  for (const [code, text] of [[400, 'handshake refused'], [500, 'no such user'], [501, 'this client is too old']]) {
    it(`does not come back after ${code}`, async (t) => {
      const server = await fake()
      t.after(() => server.close())
      const client = newClient(t, server.url)
      const opened = client.connect()
      const peer = await server.accept()
      await peer.next()
      peer.send(say.refuse(code, code === 500 ? 'no such user' : undefined))
      const err = await opened.catch((e) => e)
      assert.deepEqual([err.code, err.msg], [Code.closed, text])
      assert.deepEqual([client.state, client.status.ending.handshake], ['closed', code])
    })
  }

  it('gives up on a server that stays silent', async (t) => {
    const server = await fake()
    t.after(() => server.close())
    const client = newClient(t, server.url, { connectTimeout: 50, reconnect: false })
    const err = await client.connect().catch((e) => e)
    assert.equal(err.ending.code, Reason.handshake_timeout)
  })

  it('gives up on a server that speaks something else', async (t) => {
    const server = await fake()
    t.after(() => server.close())
    const client = newClient(t, server.url)
    const opened = client.connect()
    const peer = await server.accept()
    peer.ws.send('hello')
    assert.equal((await opened.catch((e) => e)).ending.code, Reason.protocol)
  })

  it('reports a URL that no WebSocket takes', async (t) => {
    const err = await newClient(t, 'ftp://127.0.0.1/').connect().catch((e) => e)
    assert.equal(err.code, Code.closed)
  })
})

describe('request', () => {
  it('resolves to the answer that has its id, in whatever order they come', async (t) => {
    const { client, peer } = await pair(t)
    const asked = [1, 2, 3].map((n) => client.request('math.double', { n }))
    const got = [await peer.next(), await peer.next(), await peer.next()]
    peer.send(...got.reverse().map((m) => say.answer(m.id, { n: JSON.parse(m.text).n * 2 })))
    assert.deepEqual(await Promise.all(asked), [{ n: 2 }, { n: 4 }, { n: 6 }])
    assert.equal(client.pending, 0)
  })

  it('resolves an empty answer to undefined', async (t) => {
    const { client, peer } = await pair(t)
    const asked = client.request('x.y')
    const m = await peer.next()
    assert.deepEqual([m.route, m.text], ['x.y', '{}'])
    peer.send(say.answer(m.id, Buffer.alloc(0)))
    assert.equal(await asked, undefined)
  })

  it('rejects with the code and the text of the server', async (t) => {
    const { client, peer } = await pair(t)
    const asked = client.request('x.y').catch((e) => e)
    peer.send(say.error((await peer.next()).id, 403, 'join first'))
    const err = await asked
    assert.deepEqual([err.name, err.code, err.msg, err.route, err.temporary], ['ShaddockError', 403, 'join first', 'x.y', false])
    assert.deepEqual(err.body, { code: 403, msg: 'join first' })
  })

  it('rejects after its time, and ignores the answer that comes too late', async (t) => {
    const { client, peer } = await pair(t)
    const err = await client.request('slow.one', {}, { timeout: 20 }).catch((e) => e)
    assert.deepEqual([err.code, err.temporary], [Code.timeout, true])
    const late = await peer.next()
    const asked = client.request('next.one')
    const m = await peer.next()
    peer.send(say.answer(late.id, { late: true }), say.answer(m.id, { ok: true }))
    assert.deepEqual(await asked, { ok: true })
  })

  it('rejects when its signal says so, sent or not', async (t) => {
    const { client } = await pair(t)
    const controller = new AbortController()
    const asked = client.request('x.y', {}, { signal: controller.signal }).catch((e) => e)
    controller.abort(new Error('left the page'))
    const err = await asked
    assert.deepEqual([err.code, err.cause.message], [Code.aborted, 'left the page'])
    assert.equal((await client.request('x.y', {}, { signal: controller.signal }).catch((e) => e)).code, Code.aborted)
    assert.equal(client.pending, 0)
  })

  it('rejects an answer that cannot be decoded', async (t) => {
    const { client, peer } = await pair(t)
    const asked = client.request('x.y').catch((e) => e)
    peer.send(say.answer((await peer.next()).id, Buffer.from('{')))
    assert.equal((await asked).code, Code.decode)
  })

  it('waits for the connection, in order, up to a limit', async (t) => {
    const server = await fake()
    t.after(() => server.close())
    const client = newClient(t, server.url, { maxWaiting: 2 })
    const asked = [client.request('a.a'), client.request('b.b')]
    assert.equal((await client.request('c.c').catch((e) => e)).code, Code.busy)
    client.connect()
    const peer = await server.accept()
    await peer.shake()
    const [a, b] = [await peer.next(), await peer.next()]
    assert.deepEqual([a.route, b.route], ['a.a', 'b.b'])
    peer.send(say.answer(a.id, 1), say.answer(b.id, 2))
    assert.deepEqual(await Promise.all(asked), [1, 2])
  })

  it('rejects what no package holds', async (t) => {
    const { client } = await pair(t)
    assert.equal((await client.request('r'.repeat(256)).catch((e) => e)).code, Code.tooBig)
    assert.equal(client.pending, 0)
  })

  it('sends bytes as they are', async (t) => {
    const { client, peer } = await pair(t, { codec: raw })
    const asked = client.request('x.y', Uint8Array.of(0, 255))
    const m = await peer.next()
    assert.deepEqual([...m.body], [0, 255])
    peer.send(say.answer(m.id, Buffer.from([1, 2])))
    assert.deepEqual(await asked, Uint8Array.of(1, 2))
  })
})

describe('pushes', () => {
  it('reach every handler of their route, and none that was taken off', async (t) => {
    const { client, peer } = await pair(t)
    const seen = []
    client.on('a', (body, route) => seen.push(['first', body, route]))
    client.on('*', (body, route) => seen.push(['any', body, route]))
    client.on('a', () => seen.push('never'))()
    const off = () => seen.push('never')
    client.on('a', off)
    client.off('a', off)
    peer.send(say.push('a', { n: 1 }), say.push('b', { n: 2 }))
    await pushed(client, 'b')
    assert.deepEqual(seen, [['first', { n: 1 }, 'a'], ['any', { n: 1 }, 'a'], ['any', { n: 2 }, 'b']])
  })

  it('and answers are seen in the order in which they were sent', async (t) => {
    const { client, peer } = await pair(t)
    const seen = []
    const asked = (async () => {
      await client.request('room.join')
      client.on('onMessage', ({ n }) => seen.push(n)) // as late as a program may
    })()
    const m = await peer.next()
    peer.send(say.answer(m.id, {}), say.push('onMessage', { n: 1 }), say.push('onMessage', { n: 2 }))
    await asked
    await pushed(client, 'onMessage')
    assert.deepEqual(seen, [1, 2])
  })

  it('go on after a handler that throws and a body that is broken', async (t) => {
    const errors = []
    const { client, peer } = await pair(t, { onError: (e) => errors.push(e) })
    client.on('a', () => { throw new Error('mine') })
    const reached = pushed(client, 'a')
    const broken = say.push('b', {})
    broken[broken.length - 1] = 0x7b
    client.on('b', () => {})
    peer.send(broken, say.push('a', {}))
    await reached
    assert.deepEqual(errors.map((e) => e.code ?? e.message), [Code.decode, 'mine'])
  })
})

describe('dictionary', () => {
  const dict = { 'room.join': 1, onMessage: 65535 }

  it('compresses routes both ways', async (t) => {
    const { client, peer } = await pair(t, { sys: { dict } })
    client.request('room.join').catch(() => {})
    client.notify('room.other')
    const [join, other] = [await peer.next(), await peer.next()]
    assert.deepEqual([join.compressRoute, join.route, other.compressRoute, other.route], [1, 1, 0, 'room.other'])
    peer.send(say.push(65535, { n: 1 }))
    assert.deepEqual(await pushed(client, 'onMessage'), { n: 1 })
  })

  it('is kept when the server says it is current, and replaced when not', async (t) => {
    const { server, client, peer } = await pair(t, { sys: { useDict: true, dict, dictVersion: 'v1' } })
    peer.ws.close(1001)
    const second = await server.accept()
    const hello = await second.shake({ useDict: true })
    assert.equal(hello.sys.dictVersion, 'v1')
    await when(client, 'open')
    client.notify('room.join')
    assert.equal((await second.next()).compressRoute, 1)
    second.ws.close(1001)
    const third = await server.accept()
    await third.shake({})
    await when(client, 'open')
    client.notify('room.join')
    assert.equal((await third.next()).route, 'room.join')
  })

  it('reports a code that it does not hold', async (t) => {
    const errors = []
    const { client, peer } = await pair(t, { sys: { dict }, onError: (e) => errors.push(e.code) })
    peer.send(say.push(9, {}), say.push('last', {}))
    await pushed(client, 'last')
    assert.deepEqual(errors, [Code.protocol])
  })
})
