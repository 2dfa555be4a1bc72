// The routes of nano's demos, as the clients of these demos call them, by a client
// that nobody here wrote.
import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { connect, next, request } from './pomelo.js'
import { serve } from './server.js'

let server
before(async () => { server = await serve() })
after(async () => assert.equal(await server.stop(), 0, 'the server stops cleanly'))

it('tadpole: login, enter, swim, talk, leave', async () => {
  const ann = await connect(server.players)
  const login = await request(ann, 'Manager.Login', { username: '123123123', cipher: '12312312312' })
  assert.deepEqual([login.status, login.error], [1, ''])
  const { id } = await request(ann, 'World.Enter', {})
  assert.equal(id, login.id)
  const place = { id, x: 1.5, y: -2, name: `GUEST${id}`, momentum: 0.25, angle: 3 }
  const seen = next(ann, 'update')
  ann.notify('World.Update', place)
  assert.deepEqual(await seen, place, 'everyone is told, who moves included')

  const bob = await connect(server.players)
  const snapshot = next(bob, 'update')
  const entered = await request(bob, 'World.Enter', {})
  assert.deepEqual(await snapshot, place, 'a newcomer sees who is there')
  const heard = next(ann, 'message')
  bob.notify('World.Message', { message: 'hello' })
  assert.deepEqual(await heard, { id: entered.id, message: 'hello' })
  assert.equal((await request(bob, 'World.Update', place)).code, 403, 'the id of another')
  const left = next(bob, 'leave')
  ann.disconnect()
  assert.deepEqual(await left, { id })
  bob.disconnect()
})

it('distributed chat: login, talk, balance', async () => {
  const ann = await connect(server.players)
  assert.equal((await request(ann, 'RoomService.SyncMessage', { name: 'x', content: 'y' })).code, 403, 'login first')
  assert.deepEqual(await request(ann, 'BindService.Login', { nickname: 'ann' }), { code: 0, result: 'success' })
  const bob = await connect(server.players)
  const [members, news] = [next(bob, 'onMembers'), next(ann, 'onNewUser')]
  await request(bob, 'BindService.Login', { nickname: 'bob' })
  assert.deepEqual(await members, { members: 'ann' })
  assert.deepEqual(await news, { content: 'New user: bob' })
  for (const left of [999, 998]) {
    const told = [next(ann, 'onMessage'), next(bob, 'onMessage'), next(bob, 'onBalance')]
    bob.notify('RoomService.SyncMessage', { name: 'bob', content: 'hi' })
    assert.deepEqual(await Promise.all(told), [{ name: 'bob', content: 'hi' }, { name: 'bob', content: 'hi' }, { currentBalance: left }])
  }
  ann.disconnect()
  bob.disconnect()
})
