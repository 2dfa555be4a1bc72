// The unmodified pomelo-jsclient-websocket 0.1.1 against the real server.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { connect, next, request, strencode } from './pomelo.js'
import { scratch, serve } from './server.js'

describe('pomelo-jsclient-websocket', () => {
  let server
  before(async () => { server = await serve() })
  after(async () => assert.equal(await server.stop(), 0, 'the server stops cleanly'))

  it('joins, hears others and is heard', async () => {
    const ann = await connect(server.players)
    const members = next(ann, 'onMembers')
    assert.deepEqual(await request(ann, 'room.join', { room: 'js' }), { code: 0, result: 'success' })
    assert.deepEqual(await members, { members: [] })

    const bob = await connect(server.players)
    const news = next(ann, 'onNewUser')
    await request(bob, 'room.join', { room: 'js' })
    assert.match((await news).content, /^New user: \d+$/)

    const heard = [next(ann, 'onMessage'), next(bob, 'onMessage')]
    bob.notify('room.message', { name: 'bob', content: 'hello' })
    for (const m of await Promise.all(heard)) assert.deepEqual(m, { name: 'bob', content: 'hello' })
    ann.disconnect()
    bob.disconnect()
  })

  it('gets errors in the body', async () => {
    const p = await connect(server.players)
    assert.equal((await request(p, 'room.nothing', {})).code, 404)
    assert.equal((await request(p, 'room.message', { name: 'x', content: 'y' })).code, 403)
    p.disconnect()
  })

  it('sends and receives what lies outside of the BMP', async () => {
    assert.deepEqual([...strencode('😀')], [0xed, 0xa0, 0xbd, 0xed, 0xb8, 0x80], 'the client writes two surrogates')
    const p = await connect(server.players)
    await request(p, 'room.join', { room: 'emoji' })
    const texts = ['😀', 'a😀b💥c', '漢字 ä ½', '\u{1F468}\u200D\u{1F469}\u200D\u{1F467}']
    for (const content of texts) {
      const heard = next(p, 'onMessage')
      p.notify('room.message', { name: '🐡', content })
      assert.deepEqual(await heard, { name: '🐡', content })
    }
    p.disconnect()
  })

  it('is kicked with a reason it can parse', async () => {
    const p = await connect(server.players)
    const q = await connect(server.players)
    await request(p, 'room.join', { room: 'kick' })
    const members = next(q, 'onMembers')
    await request(q, 'room.join', { room: 'kick' })
    const [id] = (await members).members
    const kicked = next(p, 'onKick')
    const closed = next(p, 'close')
    await server.kick(id, 'be nice')
    assert.deepEqual(await kicked, { reason: 'be nice', code: 9 })
    await closed
    p.disconnect() // or it waits for its heartbeat time-out
    q.disconnect()
  })

  it('is answered each request of a burst', async () => {
    const p = await connect(server.players)
    const asked = Array.from({ length: 150 }, (_, i) => request(p, 'room.echo', { i }))
    assert.deepEqual(await Promise.all(asked), asked.map((_, i) => ({ i })))
    p.disconnect()
  })
})

describe('pomelo-jsclient-websocket with a dictionary', () => {
  // The server compresses the routes of direct pushes only, and the chat has none.
  it('sends the routes in it as codes', async () => {
    const dict = join(scratch(), 'dict.json')
    writeFileSync(dict, JSON.stringify({ 'room.join': 1, 'room.message': 2, 'room.echo': 300, onMessage: 65535, onMembers: 7 }))
    const server = await serve('--dict', dict)
    const p = await connect(server.players)
    const encode = p.encode
    await request(p, 'room.join', {})
    assert.deepEqual(await request(p, 'room.echo', { a: 1 }), { a: 1 })
    const heard = next(p, 'onMessage')
    p.notify('room.message', { name: 'n', content: 'c' })
    assert.deepEqual(await heard, { name: 'n', content: 'c' })
    // The client compresses what the dictionary holds: two bytes instead of nine.
    assert.equal(encode(1, 'room.echo', {})[2], 300 >> 8)
    p.disconnect()
    assert.equal(await server.stop(), 0)
  })
})
