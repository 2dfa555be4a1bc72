// Opens pages in headless Chromium, the one that setup.sh found or installed.
import assert from 'node:assert/strict'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { chromium } from 'playwright-core'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']
const QUIET = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync']

function executable() {
  if (process.env.CHROMIUM) return process.env.CHROMIUM
  for (const name of NAMES) {
    for (const folder of process.env.PATH.split(delimiter)) {
      const path = join(folder, name)
      try {
        accessSync(path, constants.X_OK)
        return path
      } catch {
        // not here
      }
    }
  }
  throw new Error('no Chromium found: install it (Debian: apt-get install chromium) or set CHROMIUM to its path')
}

export const launch = () => chromium.launch({ executablePath: executable(), args: QUIET })

/**
 * Opens a page as a player of its own. `errors` collects what the page
 * complained about; a refused connection is none, servers do stop in tests.
 */
export async function visit(browser, url, { name, ...options } = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options })
  if (name) await context.addInitScript((n) => localStorage.setItem('shaddock.name', n), name)
  const page = await context.newPage()
  page.setDefaultTimeout(15_000)
  page.errors = []
  page.on('pageerror', (err) => page.errors.push(err.message))
  page.on('console', (m) => m.type() === 'error' && !/ERR_CONNECTION|WebSocket connection/.test(m.text()) && page.errors.push(m.text()))
  await page.goto(url)
  return page
}

/** Ends a visit; the page must not have complained. */
export async function leave(page) {
  await page.context().close()
  assert.deepEqual(page.errors, [])
}

/** Resolves when the page shows that it is connected. */
export const connected = (page) => page.waitForSelector('#status[data-state="open"]')
