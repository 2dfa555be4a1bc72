// The live counters: what the server says of itself, once a second.
import { $ } from '/dom.js'

const EVERY = 1000
const ENOUGH = 20 // deliveries, for a ratio to mean something beside the writes for other things

const compact = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 })

export class Meters {
  #client
  #stage
  #before

  constructor(client, stage) {
    this.#client = client
    this.#stage = stage
  }

  start() {
    this.#tick()
    setInterval(() => { if (!document.hidden) this.#tick() }, EVERY)
  }

  async #tick() {
    await Promise.all([this.#counters(), this.#latency()])
  }

  async #counters() {
    let s
    try {
      s = await (await fetch('/stats')).json()
    } catch {
      return // no server: the banner tells
    }
    const now = {
      at: performance.now() / 1000,
      in: s.memberTotal + s.mergerRoomTotal + s.mergerAllTotal,
      out: s.sendMessageTotal,
      writes: s.writeTotal,
      heard: this.#stage.heard,
      shown: this.#stage.shown,
    }
    const before = this.#before
    this.#before = now
    $('online').textContent = compact.format(s.onlineConnections)
    if (!before) return
    const per = (key) => (now[key] - before[key]) / (now.at - before.at)
    $('in').textContent = compact.format(Math.round(per('in')))
    $('out').textContent = compact.format(Math.round(per('out')))
    const writes = now.writes - before.writes
    $('merge').textContent = writes > 0 && now.out - before.out >= ENOUGH ? `× ${compact.format((now.out - before.out) / writes)}` : '–'
    const heard = now.heard - before.heard
    $('shown').textContent = heard > 0 ? `${Math.min(100, Math.round((100 * (now.shown - before.shown)) / heard))} %` : '–'
  }

  async #latency() {
    if (this.#client.state !== 'open') return
    const start = performance.now()
    try {
      await this.#client.request('room.echo', {})
      const ms = performance.now() - start
      $('latency').textContent = `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`
    } catch {
      $('latency').textContent = '–'
    }
  }
}
