// The index page: what runs here, by /info.json, and whether a client can talk to it.
import { Client } from '/sdk/shaddock.js'
import { $, element } from '/dom.js'

const POINTS = 60 // round trips in the picture
const EVERY = 2000 // ms between them

const socketBase = location.origin.replace(/^http/, 'ws')

async function info() {
  const res = await fetch('/info.json')
  if (!res.ok) throw new Error(`/info.json: ${res.status}`)
  return res.json()
}

/** What does not change while the server runs. */
function describe({ version, pages, routes, ws }) {
  $('version').textContent = version
  $('version').hidden = false
  $('pages').replaceChildren(...pages.map(({ path, title, text }) => element('li', {}, element('a', { href: path, className: 'card' },
    element('strong', {}, title), element('span', { className: 'quiet' }, text), element('span', { className: 'go', ariaHidden: 'true' }, '→')))))
  const first = pages[0]
  if (first) $('actions').replaceChildren(element('a', { className: 'button', href: first.path }, `Open ${first.title.toLowerCase()}`), element('span', { className: 'quiet' }, 'then open it in a second tab'))
  const endpoints = [...ws.map((path) => ['WebSocket', socketBase + path]), ['TCP', `tcp://${location.host}`]]
  $('endpoints').replaceChildren(...endpoints.map(([kind, url]) => element('li', {}, element('span', { className: 'quiet' }, kind), element('code', {}, url), copyButton(url))))
  $('routes').replaceChildren(...routes.map((route) => element('li', {}, element('code', {}, route))))
  $('count').textContent = routes.length
  $('sample').textContent = sample(socketBase + ws[0])
}

/** What does. */
function count({ online, rooms, uptime }) {
  $('online').textContent = online ?? '–'
  $('rooms').textContent = rooms ?? '–'
  $('uptime').textContent = duration(uptime)
}

function sample(url) {
  return `import { Client } from '${location.origin}/sdk/shaddock.js'

const client = new Client('${url}')
client.on('onMessage', ({ name, content }) => console.log(name, content))
client.onOpen((session) => session.request('room.join', { room: '1' }))

await client.connect()
client.notify('room.message', { name: 'Ada', content: 'hello' })`
}

function copyButton(text) {
  const button = element('button', { type: 'button', className: 'plain', ariaLabel: `Copy ${text}` }, 'Copy')
  button.addEventListener('click', async () => {
    await navigator.clipboard?.writeText(text) // undefined without TLS, except on localhost
    button.textContent = navigator.clipboard ? 'Copied' : 'Select it'
    setTimeout(() => { button.textContent = 'Copy' }, 1500)
  })
  return button
}

function duration(seconds) {
  const units = [[86400, 'd'], [3600, 'h'], [60, 'min'], [1, 's']]
  const at = units.findIndex(([size]) => seconds >= size)
  if (at < 0) return 'just now'
  const [size, unit] = units[at]
  const [next, nextUnit] = units[at + 1] ?? []
  const rest = next && Math.floor((seconds % size) / next)
  return `${Math.floor(seconds / size)} ${unit}${rest ? ` ${rest} ${nextUnit}` : ''}`
}

/** Connects as any client does, and measures the way there and back. */
function check(url) {
  const client = new Client(url, { timeout: EVERY })
  const trips = []
  let dialled = 0
  client.watch(({ state, ending }) => {
    $('status').dataset.state = state
    $('status').textContent = { open: 'connected', waiting: 'reconnecting', closed: ending?.text }[state] ?? 'connecting'
    if (state === 'connecting') dialled = performance.now()
    if (state === 'open') {
      $('handshake').textContent = `${(performance.now() - dialled).toFixed(0)} ms`
      measure()
    }
  })
  async function measure() {
    const begun = performance.now()
    await client.request('room.echo', { at: begun })
    trips.push(performance.now() - begun)
    if (trips.length > POINTS) trips.shift()
    $('rtt').textContent = trips.at(-1).toFixed(1)
    draw(trips)
  }
  client.connect().catch(() => {}) // the status says it
  setInterval(() => {
    if (document.hidden) return
    if (client.state === 'open') measure().catch(() => {}) // a lost one shows in the status
    info().then(count).catch(() => {})
  }, EVERY)
}

function draw(trips) {
  const top = Math.max(2, ...trips) * 1.15
  const point = (ms, i) => `${(240 - (trips.length - 1 - i) * (240 / (POINTS - 1))).toFixed(1)} ${(47 - (ms / top) * 46).toFixed(1)}`
  $('spark').firstElementChild.setAttribute('d', `M${trips.map(point).join('L')}`)
}

try {
  const all = await info()
  describe(all)
  count(all)
  check(all.ws[0])
} catch (err) {
  $('status').dataset.state = 'closed'
  $('status').textContent = err.message
}
