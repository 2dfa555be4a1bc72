// Three codecs that nobody here wrote for each other agree on 10,000 seeded random
// messages, both ways: pomelo-protocol 0.1.6 and pinus-protocol 1.7.4 of the
// field, the server's, and the client's.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { describe, it } from 'node:test'
import * as wire from '../../cmd/server/web/sdk/wire.js'
import { random, randomMessage, seed } from './random.js'

const require = createRequire(import.meta.url)
const COUNT = 10_000
const rand = random(seed)
const messages = Array.from({ length: COUNT }, () => randomMessage(rand))

/** A codec of the field, with our form of a message in and out. */
function foreign({ Package, Message }) {
  return {
    encode(m) {
      const message = Message.encode(m.id, m.type, m.code ? 1 : 0, m.code || m.route, Buffer.from(m.body, 'hex'))
      return Buffer.from(Package.encode(Package.TYPE_DATA, message)).toString('hex')
    },
    decode(hex) {
      const p = Package.decode(Buffer.from(hex, 'hex'))
      assert.equal(p.type, Package.TYPE_DATA)
      const m = Message.decode(p.body)
      return {
        type: m.type, id: m.id, code: m.compressRoute ? m.route : 0,
        route: m.compressRoute || m.type === Message.TYPE_RESPONSE ? '' : m.route,
        body: Buffer.from(m.body).toString('hex'),
      }
    },
  }
}

/** Asks the server's codec: one JSON object a line, and one a line back. */
function server(questions) {
  const res = spawnSync('go', ['run', './oracle'], {
    cwd: import.meta.dirname,
    input: questions.map((q) => JSON.stringify(q)).join('\n'),
    maxBuffer: 1 << 28,
  })
  assert.equal(res.status, 0, res.stderr.toString())
  return res.stdout.toString().trim().split('\n').map((line) => JSON.parse(line))
}

const client = {
  encode(m) {
    const message = wire.encodeMessage({ ...m, body: Buffer.from(m.body, 'hex') })
    return Buffer.from(wire.encodePacket(wire.Packet.data, message)).toString('hex')
  },
  decode(hex) {
    const [p] = new wire.PacketReader().read(Buffer.from(hex, 'hex'))
    assert.equal(p.type, wire.Packet.data)
    const { type, id, code, route, body, error, deflated } = wire.decodeMessage(p.body)
    assert.deepEqual([error, deflated], [false, false])
    return { type, id, code, route, body: Buffer.from(body).toString('hex') }
  },
}

for (const name of ['pomelo-protocol', 'pinus-protocol']) {
  const theirs = foreign(require(name))
  const written = messages.map(theirs.encode)

  describe(`${name} on ${COUNT} messages (seed ${seed})`, () => {
    it('agrees with the server', () => {
      const encoded = server(messages)
      const decoded = server(written.map((hex) => ({ wire: hex })))
      messages.forEach((m, i) => {
        assert.equal(encoded[i].wire, written[i], `message ${i}: the same bytes`)
        assert.deepEqual(decoded[i], m, `message ${i}: what they write, the server reads`)
        assert.deepEqual(theirs.decode(encoded[i].wire), m, `message ${i}: what the server writes, they read`)
      })
    })

    it('agrees with the client', () => {
      messages.forEach((m, i) => {
        assert.equal(client.encode(m), written[i], `message ${i}: the same bytes`)
        assert.deepEqual(client.decode(written[i]), m, `message ${i}: what they write, the client reads`)
        assert.deepEqual(theirs.decode(client.encode(m)), m, `message ${i}: what the client writes, they read`)
      })
    })
  })
}
