// Our own client in Node, against the real server.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { Client, Code, raw } from '../../cmd/server/web/sdk/shaddock.js'
import { newClient, pushed, when } from './await.js'
import { scratch, serve } from './server.js'

describe('the client', () => {
  let server
  before(async () => { server = await serve() })
  after(async () => assert.equal(await server.stop(), 0, 'the server stops cleanly'))

  async function open(t, options) {
    const client = newClient(t, server.ws, options)
    await client.connect()
    return client
  }

  it('chats, also outside of the basic plane', async (t) => {
    const [ann, bob] = [await open(t), await open(t)]
    const empty = pushed(ann, 'onMembers')
    assert.deepEqual(await ann.request('room.join', { room: 'sdk' }), { code: 0, result: 'success' })
    assert.deepEqual(await empty, { members: [] })
    const news = pushed(ann, 'onNewUser')
    const members = pushed(bob, 'onMembers')
    await bob.request('room.join', { room: 'sdk' })
    assert.match((await news).content, /^New user: \d+$/)
    assert.equal((await members).members.length, 1)
    for (const content of ['hello', '😀 漢字 é', '\u{1F468}\u200D\u{1F469}\u200D\u{1F467}', '"\\\n\u2028']) {
      const heard = [pushed(ann, 'onMessage'), pushed(bob, 'onMessage')]
      assert.equal(bob.notify('room.message', { name: '🐡', content }), true)
      assert.deepEqual(await Promise.all(heard), [{ name: '🐡', content }, { name: '🐡', content }])
    }
    const gone = pushed(ann, 'onLeave')
    bob.close()
    assert.match((await gone).content, /^User left: \d+$/)
  })

  it('is told what it did wrong', async (t) => {
    const client = await open(t)
    const code = (promise) => promise.then(() => 'accepted', (e) => e.code)
    assert.equal(await code(client.request('room.nothing')), Code.noRoute)
    assert.equal(await code(client.request('room.message', { name: 'a', content: 'b' })), Code.refused)
    assert.equal(await code(client.request('room.join', new TextEncoder().encode('{'))), Code.badRequest)
  })

  it('gets each of 150 pipelined requests answered', async (t) => {
    const client = await open(t)
    const asked = Array.from({ length: 150 }, (_, i) => client.request('room.echo', { i }))
    assert.deepEqual(await Promise.all(asked), asked.map((_, i) => ({ i })))
  })

  it('sends and gets bytes', async (t) => {
    const client = await open(t, { codec: raw })
    const bytes = Uint8Array.from({ length: 60_000 }, (_, i) => i * 7)
    assert.deepEqual(await client.request('room.echo', bytes), bytes)
  })

  it('is kicked for good, with the words of the operator', async (t) => {
    const [ann, bob] = [await open(t), await open(t)]
    await ann.request('room.join', { room: 'kick' })
    const members = pushed(bob, 'onMembers')
    await bob.request('room.join', { room: 'kick' })
    const [id] = (await members).members
    await server.kick(id, 'be nice')
    const { ending } = await when(ann, 'closed')
    assert.deepEqual([ending.name, ending.text, ending.kicked, ending.retry], ['kicked', 'be nice', true, false])
  })

  it('uses the global WebSocket where there is one', () => {
    const sdk = new URL('../../cmd/server/web/sdk/shaddock.js', import.meta.url).href
    const program = `import { Client } from '${sdk}'
      const client = new Client('${server.ws}')
      await client.connect()
      console.log(JSON.stringify(await client.request('room.echo', { over: 'global' })))
      client.close()`
    const out = execFileSync(process.execPath, ['--experimental-websocket', '--no-warnings', '--input-type=module', '--eval', program], { encoding: 'utf8' })
    assert.equal(out.trim(), '{"over":"global"}')
    if (!globalThis.WebSocket) assert.throws(() => new Client(server.ws), /package "ws"/)
  })
})

describe('the client and a server', () => {
  it('with a dictionary use short routes', async (t) => {
    const dict = join(scratch(), 'dict.json')
    writeFileSync(dict, JSON.stringify({ 'room.join': 1, 'room.message': 2, 'room.echo': 300, onMessage: 65535 }))
    const server = await serve('--dict', dict)
    t.after(() => server.stop())
    const client = newClient(t, server.ws)
    const { sys } = await client.connect()
    assert.equal(sys.dict['room.echo'], 300)
    assert.deepEqual(await client.request('room.echo', { a: 1 }), { a: 1 })
    await client.request('room.join', {})
    const heard = pushed(client, 'onMessage')
    client.notify('room.message', { name: 'n', content: 'c' })
    assert.deepEqual(await heard, { name: 'n', content: 'c' })
  })

  it('that restarts meet again, and the hook restores the room', async (t) => {
    let server = await serve()
    const client = newClient(t, server.ws, { reconnect: { base: 50, max: 200 } })
    client.onOpen((session) => session.request('room.join', { room: 'again' }))
    await client.connect()
    const away = when(client, 'waiting')
    assert.equal(await server.stop(), 0)
    assert.deepEqual([(await away).ending.name, (await away).ending.kicked], ['shutdown', true])
    const kept = client.request('room.echo', { kept: true }, { timeout: 20_000 })
    server = await serve('--listen', `127.0.0.1:${server.players.port}`)
    t.after(() => server.stop())
    assert.deepEqual(await kept, { kept: true })
    const heard = pushed(client, 'onMessage')
    client.notify('room.message', { name: 'n', content: 'back' })
    assert.deepEqual(await heard, { name: 'n', content: 'back' })
  })
})
