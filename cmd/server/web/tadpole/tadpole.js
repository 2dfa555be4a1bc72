// The tadpole page: puts the connection, the pond and the player together.
import { Client } from '/sdk/shaddock.js'
import { $ } from '/dom.js'
import { banner } from '/web/banner.js'
import { loadName, saveName } from '/web/settings.js'
import { Picture } from './draw.js'
import { steering } from './steer.js'
import { World } from './world.js'

const EVERY = 50 // ms between updates: the server tells others no more often

const client = new Client('/')
const world = new World()
const picture = new Picture($('water'))
const wish = steering($('water'))

/** Seconds on a clock that never goes back. */
const now = () => performance.now() / 1000

const showCount = () => { $('count').textContent = client.state === 'open' ? `${world.tadpoles.size} in the pond` : '' }

client.on('update', (seen) => {
  const before = world.tadpoles.size
  world.update(seen, now())
  if (world.tadpoles.size !== before) showCount()
})
client.on('message', ({ id, message }) => world.tadpoles.get(id)?.hear(message, now()))
client.on('leave', ({ id }) => {
  world.leave(id)
  showCount()
})

// What is in the pond comes ahead of the answer.
client.onOpen(async (session) => {
  world.clear()
  await session.request('Manager.Login', { username: $('name').value, cipher: '' })
  const { id } = await session.request('World.Enter', {})
  world.enter(id, $('name').value)
  told = ''
})

client.watch((status) => {
  $('status').dataset.state = status.state
  $('status').textContent = status.state === 'open' ? 'connected' : status.state
  banner(status, { retry: () => client.retryNow(), again: () => void client.connect().catch(() => {}) }) // the banner tells
  showCount()
})

/** Tells the server where we are, when it does not know. */
let told = ''
function tell() {
  const { me } = world
  if (!me || client.state !== 'open') return
  const round = (v) => Math.round(v * 100) / 100
  const update = { id: me.id, x: round(me.x), y: round(me.y), name: me.name, momentum: round(me.momentum), angle: round(me.angle) }
  const text = JSON.stringify(update)
  if (text !== told && client.notify('World.Update', update)) told = text
}
setInterval(tell, EVERY)

$('say').addEventListener('submit', (e) => {
  e.preventDefault()
  const message = $('text').value.trim()
  if (!message || client.notify('World.Message', { message })) $('text').value = ''
  $('text').blur()
})
addEventListener('keydown', (e) => {
  if (e.key === 'Enter' && !(e.target instanceof HTMLInputElement)) $('text').focus()
  if (e.key === 'Escape') document.activeElement?.blur()
})
const ownName = () => loadName().slice(0, $('name').maxLength).trim()
$('name').value = ownName()
$('name').addEventListener('change', () => {
  saveName($('name').value.trim())
  $('name').value = ownName()
  if (world.me) world.me.name = $('name').value
})

let last = now()
let frames = 0
function frame() {
  const at = now()
  const dt = Math.min(at - last, 0.1) // after the tab was hidden
  last = at
  const wanted = world.me && wish(picture.at(world.me))
  if (wanted) $('hint').classList.add('known')
  world.step(dt, at, wanted)
  picture.frame(world, dt)
  frames++
  requestAnimationFrame(frame)
}
requestAnimationFrame(frame)

/** For the console, and for tests. */
globalThis.pond = { client, world, picture, get frames() { return frames } }

client.connect().catch(() => {}) // the banner tells
