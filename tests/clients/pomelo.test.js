// The unmodified pomelo-jsclient-websocket 0.1.1 against the real server.
import assert from 'node:assert/strict'
import { writeFileSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { connect, next, request } from './pomelo.js'
import { serve } from './server.js'

// The client talks to the console at every turn.
console.log = () => {}
const complain = console.error
console.error = (...args) => { if (!/^socket (close|error)/.test(args[0])) complain(...args) }

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
    const res = await fetch(`${server.admin}/kick`, { method: 'POST', body: new URLSearchParams({ session: id, reason: 'be nice' }) })
    assert.equal(res.status, 200, await res.text())
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
  it('uses compressed routes both ways', async () => {
    const dict = join(mkdtempSync(join(tmpdir(), 'shaddock-')), 'dict.json')
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

describe('pomelo-jsclient-websocket with a heartbeat of one second', () => {
  it('lives through ten heartbeats', async () => {
    const server = await serve('--heartbeat', '1s')
    const p = await connect(server.players)
    let ended = false
    p.on('close', () => { ended = true })
    p.on('heartbeat timeout', () => { ended = true })
    await new Promise((resolve) => setTimeout(resolve, 10_500))
    assert.equal(ended, false)
    assert.deepEqual(await request(p, 'room.echo', { still: 'here' }), { still: 'here' })
    p.disconnect()
    assert.equal(await server.stop(), 0)
  })
})
