// What the client's codec makes of bytes that are split, cut off or wrong.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { ShaddockError } from '../../cmd/server/web/sdk/shaddock.js'
import { decodeMessage, encodeMessage, encodePacket, Message, Packet, PacketReader } from '../../cmd/server/web/sdk/wire.js'
import { random, randomMessage, seed } from './random.js'

const bytes = (...values) => Uint8Array.from(values)
const copy = (packets) => packets.map(({ type, body }) => ({ type, body: [...body] }))

it('cuts packages out of a stream wherever it is split', () => {
  const stream = Buffer.concat([
    encodePacket(Packet.heartbeat), encodePacket(Packet.data, bytes(1, 2, 3)), encodePacket(Packet.kick, new Uint8Array(300)), encodePacket(Packet.ack),
  ])
  const whole = copy(new PacketReader().read(stream))
  assert.deepEqual(whole.map((p) => [p.type, p.body.length]), [[3, 0], [4, 3], [5, 300], [2, 0]])
  for (let at = 0; at <= stream.length; at++) {
    const reader = new PacketReader()
    const parts = [...copy(reader.read(stream.subarray(0, at))), ...copy(reader.read(stream.subarray(at)))]
    assert.deepEqual(parts, whole, `split at ${at}`)
  }
  const reader = new PacketReader()
  assert.deepEqual([...stream].flatMap((b) => copy(reader.read(bytes(b)))), whole, 'byte by byte')
})

it('refuses a stream that is not of the protocol', () => {
  for (const type of [0, 6, 0x48, 255]) assert.throws(() => new PacketReader().read(bytes(type, 0, 0, 0)), ShaddockError)
})

it('refuses what no package or route holds', () => {
  assert.throws(() => encodePacket(Packet.data, { length: 2 ** 24 }), { code: -5 })
  assert.throws(() => encodeMessage({ type: Message.notify, route: 'é'.repeat(128) }), { code: -5 })
  assert.equal(encodeMessage({ type: Message.notify, route: 'é'.repeat(127) + 'x' })[1], 255)
})

it('decodes every truncation to a message or an error of its own', () => {
  const rand = random(seed)
  for (let i = 0; i < 200; i++) {
    const m = randomMessage(rand)
    const whole = encodeMessage({ ...m, body: Buffer.from(m.body, 'hex') })
    const head = whole.length - m.body.length / 2
    for (let n = 0; n < whole.length; n++) {
      const cut = () => decodeMessage(whole.subarray(0, n))
      if (n < head) assert.throws(cut, ShaddockError, `message ${i} cut to ${n} of ${whole.length}`)
      else assert.equal(cut().body.length, n - head)
    }
  }
})

it('decodes arbitrary bytes to a message or an error of its own', () => {
  const rand = random(seed)
  for (let i = 0; i < 20_000; i++) {
    const noise = Uint8Array.from({ length: rand(24) }, () => rand(256))
    try {
      assert.ok(decodeMessage(noise).type <= Message.push)
    } catch (err) {
      assert.ok(err instanceof ShaddockError, `${Buffer.from(noise).toString('hex')} (seed ${seed}): ${err}`)
    }
  }
})

it('reads ids up to 2^53 and not beyond', () => {
  const id = Number.MAX_SAFE_INTEGER
  assert.equal(decodeMessage(encodeMessage({ type: Message.response, id })).id, id)
  assert.throws(() => decodeMessage(bytes(4, 255, 255, 255, 255, 255, 255, 255, 255, 127)), ShaddockError)
})

it('sees the bits for errors and compressed bodies', () => {
  const m = decodeMessage(bytes((Message.response << 1) | 0x30, 7, 9))
  assert.deepEqual([m.id, m.error, m.deflated, [...m.body]], [7, true, true, [9]])
})
