// pomelo-protocol 0.1.6 agrees with our encoder and decoder on 10,000 seeded
// random messages, both ways.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { it } from 'node:test'

const require = createRequire(import.meta.url)
const { Package, Message } = require('pomelo-protocol')

const seed = Number(process.env.SEED ?? 20261121)
const count = 10_000

// random is mulberry32: the same messages on every machine.
function random(state) {
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) % below
  }
}

function messages() {
  const rand = random(seed)
  const letters = 'abcdefghijklmnopqrstuvwxyz.ABC_019äöü漢字'
  return Array.from({ length: count }, () => {
    const type = rand(4)
    const hasId = type === Message.TYPE_REQUEST || type === Message.TYPE_RESPONSE
    const hasRoute = type !== Message.TYPE_RESPONSE
    const compressed = hasRoute && rand(2) === 1
    const bits = rand(31) // ids of every length a JS client can use
    return {
      type,
      id: hasId ? 1 + rand(2 ** bits) : 0,
      code: compressed ? 1 + rand(65535) : 0,
      route: hasRoute && !compressed ? Array.from({ length: 1 + rand(60) }, () => letters[rand(letters.length)]).join('') : '',
      body: Buffer.from(Array.from({ length: rand(200) }, () => rand(256))).toString('hex'),
    }
  })
}

// ask sends one object a line to our codec and returns its answers.
function ask(questions) {
  const res = spawnSync('go', ['run', './oracle'], {
    cwd: new URL('.', import.meta.url).pathname,
    input: questions.map((q) => JSON.stringify(q)).join('\n'),
    maxBuffer: 1 << 28,
  })
  assert.equal(res.status, 0, res.stderr.toString())
  return res.stdout.toString().trim().split('\n').map((line) => JSON.parse(line))
}

const theirs = (m) => Buffer.from(Package.encode(Package.TYPE_DATA,
  Message.encode(m.id, m.type, m.code ? 1 : 0, m.code || m.route, Buffer.from(m.body, 'hex')))).toString('hex')

function theirDecode(wire) {
  const pkg = Package.decode(Buffer.from(wire, 'hex'))
  assert.equal(pkg.type, Package.TYPE_DATA)
  const m = Message.decode(pkg.body)
  return {
    type: m.type, id: m.id, code: m.compressRoute ? m.route : 0,
    route: m.compressRoute || m.type === Message.TYPE_RESPONSE ? '' : m.route,
    body: Buffer.from(m.body).toString('hex'),
  }
}

it(`agrees on ${count} messages (seed ${seed})`, () => {
  const all = messages()
  const encoded = ask(all)
  const decoded = ask(all.map((m) => ({ wire: theirs(m) })))
  assert.equal(encoded.length, count)
  assert.equal(decoded.length, count)
  all.forEach((m, i) => {
    assert.equal(encoded[i].wire, theirs(m), `message ${i}: the same bytes`)
    assert.deepEqual(decoded[i], m, `message ${i}: what they write, we read`)
    assert.deepEqual(theirDecode(encoded[i].wire), m, `message ${i}: what we write, they read`)
  })
})
