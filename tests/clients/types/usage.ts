// Never run: it compiles when the declarations say what users write, and each
// expected error is there.
import { Client, Code, json, raw, Reason, ShaddockError, type Codec, type Ending, type Status } from '../../../cmd/server/web/sdk/shaddock.js'
import { protobuf } from '../../../cmd/server/web/sdk/protobuf.js'

interface Message {
  name: string
  content: string
}

export async function use() {
  const client = new Client('/nano', {
    codec: json,
    timeout: 500,
    reconnect: { base: 100, attempts: 3 },
    user: async () => ({ token: 'x' }),
    onError: (err) => console.error(err),
  })
  const stop: () => void = client.on<Message>('onMessage', ({ name, content }, route) => console.log(name, content, route))
  client.off('onMessage')
  stop()
  client.watch((status: Status) => console.log(status.state === 'waiting' && status.retryAt))
  client.onKick((why: Ending) => console.log(why.retry, why.code === Reason.kicked))
  client.onOpen(async (session) => {
    const reply = await session.request<{ code: number }>('room.join', { room: 'x' })
    return reply.code
  })
  const welcome = await client.connect()
  console.log(welcome.sys?.heartbeat)

  const controller = new AbortController()
  const echo = await client.request<Message>('room.echo', { name: 'a', content: 'b' }, { signal: controller.signal, resend: true })
  console.log(echo.name)
  const sent: boolean = client.notify('room.message')

  try {
    await client.request('room.join')
  } catch (err) {
    if (err instanceof ShaddockError && (err.code === Code.timeout || err.temporary)) console.log(err.msg, sent)
  }

  const codec: Codec = protobuf({ nested: {} }, { 'room.join': { request: 'Join', response: 'Joined' } })
  new Client(new URL('ws://host/'), { codec, reconnect: false }).close()
  new Client('/', { codec: raw })

  // @ts-expect-error: there is no such option
  new Client('/', { retries: 3 })
  // @ts-expect-error: the status is replaced, not changed
  client.status.state = 'open'
  // @ts-expect-error: no such kind
  protobuf({}, { x: { reply: 'X' } })
}
