// The index page: what runs here, and whether a client can talk to it.
import { Client } from '/sdk/shaddock.js'

const $ = (id) => document.getElementById(id)
const tag = (name, text, more = {}) => Object.assign(document.createElement(name), { textContent: text, ...more })

async function refresh() {
  const info = await (await fetch('/info.json')).json()
  $('version').textContent = `Version ${info.version}.`
  $('online').textContent = info.online
  $('rooms').textContent = info.rooms
  $('uptime').textContent = duration(info.uptime)
  return info
}

function duration(s) {
  if (s < 60) return `${s} s`
  if (s < 3600) return `${Math.floor(s / 60)} min`
  return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`
}

function show(info) {
  $('pages').replaceChildren(...info.pages.map((p) => {
    const item = tag('li', '')
    const link = tag('a', '', { href: p.path, className: 'card' })
    link.append(tag('strong', p.title), tag('span', p.text, { className: 'quiet' }))
    item.append(link)
    return item
  }))
  const scheme = location.protocol === 'https:' ? 'wss' : 'ws'
  const endpoints = info.ws.map((path) => ['WebSocket', `${scheme}://${location.host}${path}`])
  endpoints.push(['TCP', location.host])
  $('endpoints').replaceChildren(...endpoints.flatMap(([kind, url]) => {
    const dd = tag('dd', '')
    dd.append(tag('code', url))
    return [tag('dt', kind), dd]
  }))
  $('routes').replaceChildren(...info.routes.flatMap((r) => [tag('code', r), ' ']))
  return `${scheme}://${location.host}${info.ws[0]}`
}

async function check(url) {
  const client = new Client(url)
  client.on('state', (state) => { $('dot').className = `dot ${state}` })
  const measure = async () => {
    const start = performance.now()
    await client.request('room.echo', {})
    $('check').textContent = `works, ${(performance.now() - start).toFixed(1)} ms to and fro`
  }
  client.on('open', () => measure().catch((err) => { $('check').textContent = err.message }))
  client.on('state', (state, why) => { if (why) $('check').textContent = `${state}: ${why.text}` })
  client.connect()
  setInterval(() => { measure().catch(() => {}); refresh().catch(() => {}) }, 5000)
}

refresh().then(show).then(check).catch((err) => { $('check').textContent = err.message })
