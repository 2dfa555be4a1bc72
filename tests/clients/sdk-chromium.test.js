// Our own client in Chromium, against the real server: what differs from Node is
// the WebSocket, the way to the module, and the page that it lives in.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, it } from 'node:test'
import { launch, leave, visit } from './browser.js'
import { scratch, serve } from './server.js'

let browser
let server
let page
before(async () => {
  const dict = join(scratch(), 'chromium-dict.json')
  writeFileSync(dict, JSON.stringify({ 'room.join': 1, 'room.echo': 2, 'World.Enter': 3 }))
  ;[browser, server] = await Promise.all([launch(), serve('--dict', dict)])
  page = await visit(browser, server.origin)
  await page.evaluate(async () => Object.assign(globalThis, await import('/sdk/shaddock.js')))
})
after(async () => {
  await leave(page)
  await browser.close()
  assert.equal(await server.stop(), 0, 'the server stops cleanly')
})

it('connects by a path, and knows the dictionary', async () => {
  const got = await page.evaluate(async () => {
    const client = new Client('/nano')
    const { sys } = await client.connect()
    const answers = await Promise.all(Array.from({ length: 100 }, (_, i) => client.request('room.echo', { i, text: '漢字 😀' })))
    client.close()
    return { url: client.url, dict: sys.dict, state: client.state, last: answers.at(-1), ordered: answers.every(({ i }, n) => i === n) }
  })
  assert.deepEqual(got, {
    url: server.ws, dict: { 'room.join': 1, 'room.echo': 2, 'World.Enter': 3 }, state: 'closed', last: { i: 99, text: '漢字 😀' }, ordered: true,
  })
})

it('rejects with codes: of the server, of the caller, of the connection', async () => {
  const got = await page.evaluate(async () => {
    const client = new Client('/nano')
    await client.connect()
    const outcome = (promise) => promise.then(() => 'answered', (e) => [e instanceof ShaddockError, e.code, e.temporary])
    const aborted = outcome(client.request('room.echo', {}, { signal: AbortSignal.abort() }))
    const all = {
      noRoute: await outcome(client.request('no.such')), refused: await outcome(client.request('World.Update', {})),
      aborted: await aborted, tooBig: await outcome(client.request('room.echo', new Uint8Array(1 << 24))),
    }
    client.close()
    return { ...all, closed: await outcome(client.request('room.echo')) }
  })
  assert.deepEqual(got, {
    noRoute: [true, 404, false], refused: [true, 403, false], aborted: [true, -3, false], tooBig: [true, -5, false], closed: [true, -2, false],
  })
})

it('comes back after a restart, with its rooms', async () => {
  await page.evaluate(async () => {
    globalThis.client = new Client('/nano', { reconnect: { base: 50, max: 200 } })
    client.onOpen((session) => session.request('room.join', { room: 'browser' }))
    globalThis.states = []
    client.watch(({ state }) => states.push(state))
    await client.connect()
  })
  const { port } = server.players
  assert.equal(await server.stop(), 0)
  await page.waitForFunction(() => client.state === 'waiting')
  const late = await page.evaluate(() => client.request('room.echo', {}, { timeout: 50 }).catch((e) => e.code))
  assert.equal(late, 408, 'a request waits for the connection as long as its timeout')
  server = await serve('--listen', `127.0.0.1:${port}`)
  const heard = await page.evaluate(() => new Promise((resolve) => {
    client.on('onMessage', resolve)
    client.watch(({ state }) => state === 'open' && client.notify('room.message', { name: 'n', content: 'back' }))
  }))
  assert.deepEqual(heard, { name: 'n', content: 'back' })
  const states = await page.evaluate(() => {
    client.close()
    return states
  })
  assert.deepEqual(states.slice(0, 5), ['idle', 'connecting', 'handshaking', 'restoring', 'open'])
  assert.deepEqual(states.slice(-4), ['handshaking', 'restoring', 'open', 'closed'])
})
