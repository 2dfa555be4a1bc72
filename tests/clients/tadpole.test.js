// The pond in headless Chromium, with fifty others in it.
import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { WebSocket } from 'ws'
import { Client } from '../../cmd/server/web/sdk/shaddock.js'
import { connected, launch, leave, visit } from './browser.js'
import { serve } from './server.js'

const SWIMMERS = 50

let browser
let server
const swimmers = []
before(async () => {
  [browser, server] = await Promise.all([launch(), serve()])
  await Promise.all(Array.from({ length: SWIMMERS }, async (_, i) => swimmers.push(await swimmer(i))))
})
after(async () => {
  for (const s of swimmers) s.stop()
  await browser.close()
  assert.equal(await server.stop(), 0, 'the server stops cleanly')
})

/** A tadpole that swims in a circle of its own, twenty times a second. */
async function swimmer(i) {
  const client = new Client(server.ws.replace('/nano', '/'), { WebSocket })
  await client.connect()
  assert.equal((await client.request('Manager.Login', { username: 'x', cipher: 'y' })).status, 1)
  const { id } = await client.request('World.Enter', {})
  let angle = i
  const swim = () => {
    angle += 0.06
    const [x, y] = [(i % 10 - 4.5) * 110, (Math.floor(i / 10) - 2) * 120]
    client.notify('World.Update', { id, x: x + Math.cos(angle) * 40, y: y + Math.sin(angle) * 40, name: `Bot ${i}`, momentum: 0.8, angle: angle + Math.PI / 2 })
  }
  const timer = setInterval(swim, 50)
  const stop = () => {
    clearInterval(timer)
    client.close()
  }
  return { id, client, stop }
}

const inPond = (page, n) => page.waitForFunction((want) => pond.world.tadpoles.size === want, n)

const places = (page) => page.evaluate(() => [...pond.world.tadpoles.values()].map(({ id, x, y }) => [id, x, y]))

it('shows a newcomer everyone, and everyone moves', async () => {
  const page = await visit(browser, `${server.origin}/static/`, { name: 'Ada' })
  assert.equal(new URL(page.url()).pathname, '/tadpole/', 'the old address leads here')
  await connected(page)
  await inPond(page, SWIMMERS + 1)
  assert.equal(await page.locator('#count').textContent(), `${SWIMMERS + 1} in the pond`)
  const before = new Map((await places(page)).map(([id, x, y]) => [id, [x, y]]))
  const me = await page.evaluate(() => pond.world.me.id)
  await page.waitForFunction((was) => [...pond.world.tadpoles.values()].every((t) => t === pond.world.me
    || was.some(([id, x, y]) => id === t.id && Math.hypot(t.x - x, t.y - y) > 5)), [...before].map(([id, [x, y]]) => [id, x, y]))
  assert.deepEqual(new Set(before.keys()), new Set([me, ...swimmers.map(({ id }) => id)]))
  const frames = await page.evaluate(() => pond.frames)
  await page.waitForFunction((n) => pond.frames > n + 10, frames)
  await leave(page)
})

it('lets players swim and talk, and others see it', async () => {
  const [ada, bob] = [await visit(browser, `${server.origin}/tadpole/`, { name: 'Ada' }), await visit(browser, `${server.origin}/tadpole/`, { name: 'Bob' })]
  await Promise.all([connected(ada), connected(bob)])
  const id = await ada.evaluate(() => pond.world.me.id)
  await inPond(bob, SWIMMERS + 2)
  const from = await bob.evaluate((i) => pond.world.tadpoles.get(i).x, id)
  await ada.keyboard.down('ArrowRight')
  await bob.waitForFunction(([i, x]) => pond.world.tadpoles.get(i).x > x + 100, [id, from])
  await ada.keyboard.up('ArrowRight')
  assert.equal(await bob.evaluate((i) => pond.world.tadpoles.get(i).name, id), 'Ada')
  await ada.fill('#text', 'anyone here? <b>')
  await ada.press('#text', 'Enter')
  await bob.waitForFunction((i) => pond.world.tadpoles.get(i).words[0]?.text === 'anyone here? <b>', id)
  if (process.env.SHOT) await bob.screenshot({ path: process.env.SHOT })
  await leave(ada)
  await inPond(bob, SWIMMERS + 1)
  await leave(bob)
})

it('refuses forged ids', async () => {
  const [one, other] = swimmers
  const seen = []
  const stop = other.client.on('update', (u) => u.name === 'forged' && seen.push(u))
  const forged = { id: other.id, x: 0, y: 0, name: 'forged', momentum: 0, angle: 0 }
  await assert.rejects(one.client.request('World.Update', forged), { code: 403 })
  one.client.notify('World.Update', forged)
  await one.client.request('World.Message', { message: 'after that' })
  await new Promise((resolve) => { // two ticks later
    let ticks = 0
    const done = other.client.on('update', ({ id }) => { if (id === one.id && ++ticks === 3) resolve(done()) })
  })
  stop()
  assert.deepEqual(seen, [])
})
