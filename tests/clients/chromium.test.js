// The pages in headless Chromium, against the real server.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { connected, launch, leave, visit } from './browser.js'
import { serve } from './server.js'

let browser
let server
before(async () => { [browser, server] = await Promise.all([launch(), serve()]) })
after(async () => {
  await browser.close()
  assert.equal(await server.stop(), 0, 'the server stops cleanly')
})

async function chat(name, { room = '', ...options } = {}) {
  const page = await visit(browser, `${server.origin}/web/${room && `#${room}`}`, { name, ...options })
  await connected(page)
  return page
}

async function say(page, text) {
  await page.fill('#text', text)
  await page.press('#text', 'Enter')
}

/** Resolves when a line with this text is in the log, as its speaker and its state. */
async function line(page, text) {
  const item = page.locator('.line', { has: page.locator('p', { hasText: text }) }).last()
  await item.waitFor()
  return item
}

describe('the index page', () => {
  it('shows what runs here and that a client can talk to it', async () => {
    const page = await visit(browser, server.origin)
    await connected(page)
    await page.waitForFunction(() => Number(document.getElementById('rtt').textContent) > 0)
    assert.ok(await page.locator('#pages a[href="/web/"]').isVisible())
    const routes = await page.locator('#routes li').allTextContents()
    assert.ok(routes.includes('room.join'), routes)
    assert.ok((await page.locator('#endpoints').textContent()).includes(server.ws))
    await leave(page)
  })

  it('has colours for night and day, and remembers the choice', async () => {
    const page = await visit(browser, server.origin, { colorScheme: 'dark' })
    const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor)
    const dark = await ground()
    await page.click('#theme') // auto, light
    assert.notEqual(await ground(), dark)
    await page.reload()
    assert.notEqual(await ground(), dark)
    await page.click('#theme') // dark
    assert.equal(await ground(), dark)
    await leave(page)
  })
})

describe('the chat page', () => {
  it('lets two players chat', async () => {
    const [ada, bob] = [await chat('Ada'), await chat('Bob')]
    await say(ada, 'hello 😀 漢字')
    await (await line(bob, 'hello 😀 漢字')).getByText('Ada', { exact: true }).waitFor()
    const own = await line(ada, 'hello 😀 漢字')
    await inState(own, 'said')
    await say(bob, 'two\nlines')
    assert.equal(await (await line(ada, 'two')).locator('p').textContent(), 'two\nlines')
    await ada.getByText(/^Guest \d+ joined$/).waitFor()
    assert.equal(await ada.locator('#count').textContent(), '2')
    await leave(bob)
    await ada.getByText(/^Guest \d+ left$/).waitFor()
    assert.equal(await ada.locator('#count').textContent(), '1')
    await leave(ada)
  })

  it('shows what players write as text', async () => {
    const ada = await chat('<b>Ada</b>', { room: 'text' })
    await say(ada, '<img src=x onerror=alert(1)> https://example.com/a?b=1.')
    const own = await line(ada, 'onerror')
    assert.equal(await own.locator('p').textContent(), '<img src=x onerror=alert(1)> https://example.com/a?b=1.')
    assert.equal(await own.locator('p a').getAttribute('href'), 'https://example.com/a?b=1')
    assert.equal(await own.locator('strong').textContent(), '<b>Ada</b>')
    await leave(ada)
  })

  it('keeps rooms apart, and goes from one to the other', async () => {
    const [ada, bob] = [await chat('Ada', { room: 'red' }), await chat('Bob', { room: 'blue' })]
    await say(ada, 'in red')
    await say(bob, 'in blue')
    await line(ada, 'in red')
    await line(bob, 'in blue')
    assert.equal(await bob.getByText('in red').count(), 0)
    await bob.fill('#where', 'red')
    await bob.press('#where', 'Enter')
    await ada.getByText(/^Guest \d+ joined$/).waitFor()
    await say(ada, 'welcome')
    await line(bob, 'welcome')
    await bob.click('#rooms a:has-text("blue")')
    await line(bob, 'in blue')
    await ada.getByText(/^Guest \d+ left$/).waitFor()
    await leave(ada)
    await leave(bob)
  })

  it('counts in the title what came while nobody looked', async () => {
    const [ada, bob] = [await chat('Ada', { room: 'unread' }), await chat('Bob', { room: 'unread' })]
    const look = (yes) => ada.evaluate((v) => {
      Object.defineProperty(document, 'hidden', { configurable: true, get: () => !v })
      document.dispatchEvent(new Event('visibilitychange'))
    }, yes)
    await look(false)
    await say(bob, 'one')
    await say(bob, 'two')
    await line(ada, 'two')
    assert.equal(await ada.title(), '(2) unread · shaddock')
    assert.equal(await ada.locator('.unread').count(), 1)
    await look(true)
    assert.equal(await ada.title(), 'unread · shaddock')
    await leave(ada)
    await leave(bob)
  })

  it('works by keyboard alone', async () => {
    const ada = await chat('Ada', { room: 'keys' })
    await ada.keyboard.type('a')
    await ada.keyboard.press('Shift+Enter')
    await ada.keyboard.type('b ')
    await ada.keyboard.press('Tab') // to the emoji button
    await ada.keyboard.press('Enter')
    await ada.keyboard.press('ArrowRight')
    await ada.keyboard.press('ArrowDown')
    await ada.keyboard.press('Enter')
    await ada.keyboard.press('Enter')
    const text = await (await line(ada, 'a\nb')).locator('p').textContent()
    assert.match(text, /^a\nb \p{Extended_Pictographic}$/u)
    await leave(ada)
  })

  it('fits a phone', async () => {
    const ada = await chat('Ada', { room: 'phone', viewport: { width: 360, height: 640 } })
    for (let i = 0; i < 12; i++) await say(ada, `line ${i} ${'long '.repeat(10)}`)
    await line(ada, 'line 11')
    const { width, bottom } = await ada.evaluate(() => ({
      width: document.documentElement.scrollWidth, bottom: document.getElementById('send').getBoundingClientRect().bottom,
    }))
    assert.ok(width <= 360 && bottom <= 640, `the page is ${width} wide, its button ends at ${bottom}`)
    await ada.click('#show-rooms')
    await ada.locator('#where').fill('elsewhere')
    await ada.keyboard.press('Escape')
    await ada.locator('#rooms-panel').waitFor({ state: 'hidden' })
    await leave(ada)
  })

  it('says why it was disconnected, and comes back when asked', async () => {
    const ada = await chat('Ada', { room: 'kick' })
    const bob = await visit(browser, `${server.origin}/web/#kick`, { name: 'Bob' })
    const id = await bob.evaluate(async (url) => {
      const { Client } = await import('/sdk/shaddock.js')
      const client = new Client(url)
      const members = new Promise((resolve) => client.on('onMembers', resolve))
      await client.connect()
      await client.request('room.join', { room: 'kick' })
      client.close()
      return (await members).members[0]
    }, server.ws)
    await server.kick(id, 'be nice')
    await ada.getByText('You were disconnected: be nice').waitFor()
    await ada.getByRole('button', { name: 'Connect again' }).click()
    await connected(ada)
    assert.ok(await ada.locator('#banner').isHidden())
    await leave(ada)
    await leave(bob)
  })

  it('survives a restart of the server with what was typed meanwhile', async () => {
    const [ada, bob] = [await chat('Ada', { room: 'again' }), await chat('Bob', { room: 'again' })]
    await say(ada, 'before')
    await line(bob, 'before')
    const { port } = server.players
    assert.equal(await server.stop(), 0)
    await ada.getByText(/Trying again in \d+ s/).waitFor()
    await say(ada, 'typed meanwhile')
    await inState(await line(ada, 'typed meanwhile'), 'queued')
    server = await serve('--listen', `127.0.0.1:${port}`)
    await connected(bob)
    await connected(ada)
    await inState(await line(ada, 'typed meanwhile'), 'said')
    await ada.getByText(/^You were away for \d+ s/).waitFor()
    await say(bob, 'after')
    await line(ada, 'after')
    await leave(ada)
    await leave(bob)
  })
})

describe('the client in Chromium', () => {
  it('speaks protobuf where the page allows it', async () => {
    const page = await visit(browser, server.origin, { bypassCSP: true })
    const got = await page.evaluate(async () => {
      const { protobuf } = await import('/sdk/protobuf.js')
      const schema = { nested: { Echo: { fields: { n: { type: 'sint32', id: 1 }, s: { type: 'string', id: 2 } } } } }
      const codec = protobuf(schema, { 'room.echo': { request: 'Echo', response: 'Echo' } })
      const { Client } = await import('/sdk/shaddock.js')
      const client = new Client('/nano', { codec })
      await client.connect()
      const answer = await client.request('room.echo', { n: -7, s: '😀' })
      client.close()
      return answer
    })
    assert.deepEqual(got, { n: -7, s: '😀' })
    await leave(page)
  })
})

/** Resolves when a line of the chat has a state. */
async function inState(item, state) {
  await item.and(item.page().locator(`[data-state="${state}"]`)).waitFor()
}
