// The protobuf plug-in against the full protobufjs of npm, which shares its
// author but not its build, and over a connection.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { it } from 'node:test'
import { protobuf } from '../../cmd/server/web/sdk/protobuf.js'
import { Code } from '../../cmd/server/web/sdk/shaddock.js'
import { newClient, pushed } from './await.js'
import { fake, Message, Package, say } from './fake.js'

const require = createRequire(import.meta.url)
const full = require('protobufjs')

const { root } = full.parse(`
  syntax = "proto3";
  package game;
  enum Team { NONE = 0; RED = 1; BLUE = 2; }
  message Move { sint32 x = 1; sint32 y = 2; Team team = 3; }
  message State { repeated Move moves = 1; uint64 tick = 2; string note = 3; bytes blob = 4; double heat = 5; }
`, { keepCase: true })
const codec = protobuf(root.toJSON(), {
  'world.move': { request: 'game.Move', response: 'game.State', notify: 'game.Move' },
  onState: { push: 'game.State' },
})
const [Move, State] = [root.lookupType('game.Move'), root.lookupType('game.State')]
const state = { moves: [{ x: -5, y: 7, team: 1 }, { x: 0, y: 0, team: 0 }], tick: 2 ** 40, note: '😀 é', blob: new Uint8Array([0, 255]), heat: 0.1 }

it('is the file of the npm package, unchanged', () => {
  const ours = readFileSync(new URL('../../cmd/server/web/sdk/protobufjs/protobuf.light.min.js', import.meta.url))
  assert.ok(ours.equals(readFileSync(require.resolve('protobufjs/dist/light/protobuf.min.js'))))
})

it('writes what the full build reads', () => {
  const bytes = codec.encode('world.move', 'request', { x: -5, y: 300, team: 2 })
  assert.deepEqual(Move.toObject(Move.decode(bytes)), { x: -5, y: 300, team: 2 })
})

it('reads what the full build writes', () => {
  const got = codec.decode('onState', 'push', State.encode(State.fromObject(state)).finish())
  assert.deepEqual({ ...got, blob: new Uint8Array(got.blob) }, state)
})

it('fills in what was not sent', () => {
  const got = codec.decode('onState', 'push', new Uint8Array(0))
  assert.deepEqual({ ...got, blob: got.blob.length }, { moves: [], tick: 0, note: '', blob: 0, heat: 0 })
})

it('refuses values and routes that the schema does not know', () => {
  assert.throws(() => codec.encode('world.move', 'request', { x: 'far' }), /world.move: x: integer expected/)
  assert.throws(() => codec.encode('world.jump', 'request', {}), /no request of world.jump/)
  assert.throws(() => codec.decode('onState', 'push', Uint8Array.of(10, 200)), RangeError)
})

it('carries requests, answers and pushes; errors stay JSON', async (t) => {
  const server = await fake()
  t.after(() => server.close())
  const client = newClient(t, server.url, { codec })
  const opened = client.connect()
  const peer = await server.accept()
  await peer.shake({ serializer: 'protobuf' })
  await opened

  const asked = client.request('world.move', { x: 1, y: -1 })
  const m = await peer.next()
  assert.deepEqual(Move.decode(m.body).toJSON(), { x: 1, y: -1 })
  const bytes = Buffer.from(State.encode({ tick: 3 }).finish())
  const push = Buffer.from(Package.encode(Package.TYPE_DATA, Message.encode(0, Message.TYPE_PUSH, 0, 'onState', bytes)))
  const seen = pushed(client, 'onState')
  peer.send(say.answer(m.id, bytes), push)
  assert.deepEqual([(await asked).tick, (await seen).tick], [3, 3])

  const refused = client.request('world.move', {}).catch((e) => e)
  peer.send(say.error((await peer.next()).id, 403, 'not now'))
  assert.deepEqual([(await refused).code, (await refused).msg], [Code.refused, 'not now'])
})
