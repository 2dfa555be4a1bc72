// The danmaku page: puts the connection, the stage and the meters together.
import { Client } from '/sdk/shaddock.js'
import { $ } from '/dom.js'
import { banner } from '/web/banner.js'
import { loadName, roomOfPage, saveName, titleOf } from '/web/settings.js'
import { Meters } from './meters.js'
import { Stage } from './stage.js'

const HISTORY = 20

const client = new Client('/nano')
const stage = new Stage($('stage'), $('meters'))
const meters = new Meters(client, stage)
let room = roomOfPage()
let own = [] // what we said and have not seen fly yet

/** What a message says, whatever a push API has put into it. */
function words(item) {
  if (typeof item === 'string') return { name: '', content: item }
  const content = item?.content ?? item?.msg ?? item?.text ?? JSON.stringify(item)
  return { name: String(item?.name ?? ''), content: String(content) }
}

function show(item) {
  const message = words(item)
  const i = own.indexOf(message.content)
  if (i >= 0 && message.name === $('name').value) {
    own.splice(i, 1)
    message.mine = true
  }
  stage.add(message)
  $('hint').hidden = true
}

client.on('onMessage', show)
client.on('onCount', ({ count }) => { $('count').textContent = `${count.toLocaleString()} watching` })

client.onOpen(async (session) => {
  const { count, history } = await session.request('live.join', { room, history: HISTORY })
  $('count').textContent = `${count.toLocaleString()} watching`
  $('hint').hidden = stage.heard > 0 || history.length > 0
  for (const item of history) show(item)
})

client.watch((status) => {
  $('status').dataset.state = status.state
  $('status').textContent = status.state === 'open' ? 'live' : status.state
  banner(status, { retry: () => client.retryNow(), again: () => void client.connect().catch(() => {}) }) // the banner tells
})

$('say').addEventListener('submit', async (e) => {
  e.preventDefault()
  const content = $('text').value.trim()
  if (!content) return
  $('text').value = ''
  own.push(content)
  own = own.slice(-20)
  try {
    await client.request('live.send', { room, name: $('name').value, content })
  } catch (err) {
    own = own.filter((c) => c !== content)
    $('text').value ||= content // too fast, or no connection: it is still there to be sent
    $('say').dataset.error = err.msg
    setTimeout(() => delete $('say').dataset.error, 2000)
  }
})

$('name').value = loadName()
$('name').addEventListener('change', () => {
  saveName($('name').value.trim())
  $('name').value = loadName()
})

function showRoom() {
  $('room').textContent = titleOf(room)
  $('curl').textContent = `curl ${location.origin}/push/room -d room=${encodeURIComponent(room)} \\\n     -d 'items=[{"name":"curl","content":"hello"}]'`
}

addEventListener('hashchange', async () => {
  const before = room
  room = roomOfPage()
  stage.clear()
  showRoom()
  if (client.state !== 'open') return // the next connection joins it
  await client.request('live.leave', { room: before }).catch(() => {}) // not in it: as good
  const { count, history } = await client.request('live.join', { room, history: HISTORY })
  $('count').textContent = `${count.toLocaleString()} watching`
  for (const item of history) show(item)
})

let frames = 0
function frame(at) {
  frames++
  stage.frame(at / 1000)
  requestAnimationFrame(frame)
}
requestAnimationFrame(frame)
showRoom()
meters.start()

/** For the console, and for tests. */
globalThis.show = { client, stage, get frames() { return frames } }

client.connect().catch(() => {}) // the banner tells
