// What the chat page makes of what a room says.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { Conversation } from '../../cmd/server/web/web/conversation.js'

const texts = (c) => c.lines.map((l) => [l.name ?? '', l.content, l.state ?? ''])

it('takes our line for said when the room says it back', () => {
  const c = new Conversation()
  const [first, second] = [c.compose('Ada', 'hi', 1), c.compose('Ada', 'hi', 2)]
  first.state = second.state = 'sending'
  assert.equal(c.hear({ name: 'Ada', content: 'hi' }, 3), first)
  assert.deepEqual([first.state, second.state], ['said', 'sending'])
  assert.equal(c.hear({ name: 'Ada', content: 'hi' }, 4), second)
  assert.deepEqual(c.hear({ name: 'Ada', content: 'hi' }, 5).mine, undefined, 'a third one is of another Ada')
  assert.equal(c.lines.length, 3)
})

it('does not take the line of another for ours', () => {
  const c = new Conversation()
  c.compose('Ada', 'hi', 1).state = 'sending'
  c.hear({ name: 'Bob', content: 'hi' }, 2)
  assert.deepEqual(texts(c), [['Ada', 'hi', 'sending'], ['Bob', 'hi', '']])
})

it('marks what was under way when the connection ended', () => {
  const c = new Conversation()
  const [said, sending, queued] = ['said', 'sending', 'queued'].map((state) => Object.assign(c.compose('Ada', state, 1), { state }))
  c.meet([1, 2])
  assert.deepEqual(c.lose(), [sending])
  assert.deepEqual([said.state, sending.state, queued.state, c.members.size], ['said', 'failed', 'queued', 0])
})

it('knows who is here', () => {
  const c = new Conversation()
  c.meet([9007199254740991, 17])
  assert.equal(c.arrive(Conversation.idIn('New user: 12345'), 1).content, 'Guest 2345 joined')
  assert.equal(c.arrive('12345', 2), undefined, 'twice is once')
  assert.equal(c.depart(Conversation.idIn('User left: 17'), 3).content, 'Guest 17 left')
  assert.equal(c.depart('17', 4), undefined)
  assert.equal(c.arrive(Conversation.idIn('somebody'), 5), undefined)
  assert.deepEqual([...c.members], ['9007199254740991', '12345'])
})

it('lists the latest voice last, and keeps 500 lines', () => {
  const c = new Conversation()
  for (const name of ['Ada', 'Bob', 'Ada']) c.hear({ name, content: '.' }, 1)
  assert.deepEqual([...c.voices.keys()], ['Bob', 'Ada'])
  for (let i = 0; i < 600; i++) c.hear({ name: 'Ada', content: String(i) }, 1)
  assert.deepEqual([c.lines.length, c.lines[0].content], [500, '100'])
})
