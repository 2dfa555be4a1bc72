// The cluster of the README in headless Chromium: chat across two gates, the page of
// operators, and a room that goes on when its host is killed.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { connected, launch, leave, visit } from './browser.js'
import { cluster } from './server.js'

let browser
let demo
before(async () => { [browser, demo] = await Promise.all([launch(), cluster('--hosts', '2')]) })
after(async () => {
  await browser.close()
  assert.equal(await demo.stop(), 0, 'the demo ends cleanly')
})

const say = async (page, text) => {
  await page.fill('#text', text)
  await page.press('#text', 'Enter')
}

const hears = (page, text) => page.locator('.line p', { hasText: text }).waitFor()

/** What the cluster page says, row by row, once it says so. */
const row = (page, section, text) => page.locator(`section[aria-labelledby="${section}-title"] tbody tr`, { hasText: text })

describe('the demo', () => {
  it('lets players of two gates chat, also when the host of their room is killed', async () => {
    assert.equal(demo.gates.length, 2)
    const [ada, bob] = await Promise.all(demo.gates.map((url, i) => visit(browser, url, { name: ['Ada', 'Bob'][i] })))
    await Promise.all([connected(ada), connected(bob)])
    await say(ada, 'from the first gate')
    await hears(bob, 'from the first gate')
    await say(bob, 'from the second')
    await hears(ada, 'from the second')
    assert.equal(await ada.locator('#count').textContent(), '2')

    const page = await visit(browser, demo.pages.at(-1))
    await row(page, 'rooms', 'room/1').waitFor()
    const host = await row(page, 'rooms', 'room/1').locator('td').first().textContent()
    const other = host === 'host-1' ? 'host-2' : 'host-1'
    assert.ok(demo.hosts[host], `${host} runs the room, one of ${Object.keys(demo.hosts)}`)
    process.kill(demo.hosts[host], 'SIGKILL')
    await say(ada, 'still here')
    await hears(bob, 'still here')
    await say(bob, 'so am I')
    await hears(ada, 'so am I')
    const move = row(page, 'moves', 'room/1') // the page follows by itself
    await move.getByText('node lost').waitFor()
    assert.deepEqual((await move.locator('td').allTextContents()).slice(1, 3), [host, other])
    await row(page, 'rooms', 'room/1').getByText(other).waitFor()
    for (const p of [ada, bob, page]) await leave(p)
  })
})

describe('the page of operators', () => {
  for (const colorScheme of ['light', 'dark']) {
    it(`shows who is there, ${colorScheme}`, async () => {
      const page = await visit(browser, demo.pages.at(-1), { colorScheme })
      for (const gate of ['gate-1', 'gate-2']) await row(page, 'nodes', gate).waitFor()
      assert.equal(await page.locator('#status').textContent(), 'all is well')
      const dark = await page.evaluate(() => {
        const [r, g, b] = getComputedStyle(document.body).backgroundColor.match(/\d+/g).map(Number)
        return r + g + b < 3 * 128
      })
      assert.equal(dark, colorScheme === 'dark')
      await leave(page)
    })
  }

  it('fits a phone', async () => {
    const page = await visit(browser, demo.pages.at(-1), { viewport: { width: 360, height: 640 } })
    await row(page, 'nodes', 'gate-1').waitFor()
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth) <= 360, 'tables scroll, the page does not')
    await leave(page)
  })
})
