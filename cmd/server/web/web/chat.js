// The chat page: rooms where everyone hears everyone. ?room=NAME names the room.
import { Client, State } from '/sdk/shaddock.js'

const $ = (id) => document.getElementById(id)
const room = new URLSearchParams(location.search).get('room') || '1'
const scheme = location.protocol === 'https:' ? 'wss' : 'ws'
const info = await (await fetch('/info.json')).json()
const client = new Client(`${scheme}://${location.host}${info.ws[0]}`)

const members = new Set()
let unread = 0

$('room').textContent = `room ${room}`
$('where').value = room
$('name').value = localStorage.getItem('name') || `guest ${Math.floor(100 + Math.random() * 900)}`
title()

function title() {
  document.title = `${unread ? `(${unread}) ` : ''}${room} · shaddock chat`
}

// add puts a line below, and keeps the end in view for whoever was reading there.
function add(element) {
  const log = $('log')
  const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 60
  log.append(element)
  while (log.children.length > 500) log.firstChild.remove()
  if (atEnd) log.scrollTop = log.scrollHeight
}

function notice(text) {
  add(Object.assign(document.createElement('li'), { className: 'notice', textContent: text }))
}

function line({ name, content }) {
  const item = document.createElement('li')
  item.className = name === $('name').value ? 'line own' : 'line'
  const who = Object.assign(document.createElement('span'), { className: 'who', textContent: name })
  who.style.color = `light-dark(hsl(${hue(name)} 55% 38%), hsl(${hue(name)} 60% 72%))`
  const now = new Date()
  const time = Object.assign(document.createElement('time'), { textContent: now.toTimeString().slice(0, 5), dateTime: now.toISOString() })
  item.append(who, content, time)
  add(item)
  if (document.hidden) { unread++; title() }
}

const hue = (name) => [...String(name)].reduce((h, c) => (h * 31 + c.codePointAt(0)) % 360, 7)

function showMembers() {
  const item = (text) => Object.assign(document.createElement('li'), { textContent: text, title: text })
  $('members').replaceChildren(item('you'), ...[...members].map((id) => item(`player ${String(id).slice(-6)}`)))
}

const idOf = (content) => Number(/(\d+)$/.exec(content)?.[1])

client.on('onMembers', (m) => { members.clear(); m.members.forEach((id) => members.add(id)); showMembers() })
client.on('onNewUser', ({ content }) => { members.add(idOf(content)); showMembers(); notice('somebody joined') })
client.on('onLeave', ({ content }) => { members.delete(idOf(content)); showMembers(); notice('somebody left') })
client.on('onMessage', line)
client.on('error', (err) => notice(err.message))

client.on('open', async () => {
  try {
    await client.request('room.join', { room })
    notice(`you are in room ${room}`)
  } catch (err) {
    notice(`could not join: ${err.message}`)
  }
})

client.on('state', (state, why) => {
  $('dot').className = `dot ${state}`
  $('state').textContent = { connecting: 'connecting …', open: 'connected', waiting: 'reconnecting …', closed: 'disconnected' }[state]
  $('send').disabled = state !== State.open
  if (why) notice(`${why.text}${state === State.waiting ? ', coming back' : ''}`)
})

$('say').addEventListener('submit', (event) => {
  event.preventDefault()
  const content = $('text').value.trim()
  if (content && client.notify('room.message', { room, name: $('name').value || 'guest', content })) $('text').value = ''
})
$('name').addEventListener('change', () => localStorage.setItem('name', $('name').value))
$('go').addEventListener('submit', (event) => {
  event.preventDefault()
  location.search = new URLSearchParams({ room: $('where').value.trim() || '1' })
})
document.addEventListener('visibilitychange', () => { unread = 0; title() })

client.connect()
