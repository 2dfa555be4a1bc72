// The pond as the page knows it: who is where, and where they are going. No
// drawing, no network and no clock: times are passed in, in seconds.

/** What the protocol calls momentum is the way of a sixtieth of a second. */
const FRAMES = 60

const FASTEST = 4 // momentum
const PUSH = 9 // momentum gained in a second of swimming
const DRAG = 2.2 // share of the momentum lost in a second
const TURN = 5.5 // radians in a second
const GUESS = 0.25 // seconds for which a tadpole is thought to swim on as it was seen
const EASE = 9 // how fast what is seen moves to where it should be, per second
const JUMP = 500 // farther than this one does not glide
const TAIL = 9 // joints
const SPOKEN = 6 // seconds that words stay

/** The shortest way from one angle to another. */
const turn = (from, to) => Math.atan2(Math.sin(to - from), Math.cos(to - from))

export class Tadpole {
  /** @param {{id: number, x: number, y: number, name?: string, momentum?: number, angle?: number}} seen */
  constructor({ id, x, y, name = '', momentum = 0, angle = 0 }) {
    Object.assign(this, { id, x, y, name, momentum, angle })
    this.goal = { x, y, at: 0 }
    this.heading = angle
    this.phase = id % 7
    /** The angles of the tail, which follow the head with a delay. */
    this.tail = new Array(TAIL).fill(angle)
    /** @type {{text: string, until: number}[]} */
    this.words = []
  }

  /** Takes in where it was seen. */
  see({ x, y, name, momentum, angle }, now) {
    Object.assign(this, { name, momentum, angle })
    this.goal = { x, y, at: now }
    if (Math.hypot(x - this.x, y - this.y) > JUMP) Object.assign(this, { x, y })
  }

  hear(text, now) {
    this.words.push({ text, until: now + SPOKEN })
    if (this.words.length > 3) this.words.shift()
  }

  /** Lets others glide to where they should be by now. */
  glide(dt, now) {
    const ahead = Math.min(now - this.goal.at, GUESS) * this.momentum * FRAMES
    const share = 1 - Math.exp(-EASE * dt)
    this.x += (this.goal.x + Math.cos(this.angle) * ahead - this.x) * share
    this.y += (this.goal.y + Math.sin(this.angle) * ahead - this.y) * share
    this.heading += turn(this.heading, this.angle) * share
    this.wiggle(dt, now)
  }

  /**
   * Swims as the player wants.
   * @param {{angle: number, effort: number} | undefined} wish effort from 0 to 1
   */
  swim(dt, now, wish) {
    if (wish) {
      const most = TURN * dt
      this.angle += Math.max(-most, Math.min(most, turn(this.angle, wish.angle)))
      this.momentum = Math.min(FASTEST, this.momentum + PUSH * wish.effort * dt)
    }
    this.momentum *= Math.exp(-DRAG * dt)
    if (this.momentum < 0.01) this.momentum = 0
    this.x += Math.cos(this.angle) * this.momentum * FRAMES * dt
    this.y += Math.sin(this.angle) * this.momentum * FRAMES * dt
    this.heading = this.angle
    this.wiggle(dt, now)
  }

  wiggle(dt, now) {
    this.phase += dt * (4 + this.momentum * 7)
    let before = this.heading
    const share = 1 - Math.exp(-14 * dt)
    for (let i = 0; i < TAIL; i++) {
      this.tail[i] += turn(this.tail[i], before) * share
      before = this.tail[i]
    }
    if (this.words.length > 0) this.words = this.words.filter(({ until }) => until > now)
  }
}

export class World {
  /** @type {Map<number, Tadpole>} */
  tadpoles = new Map()
  /** @type {Tadpole | undefined} */
  me

  /** Starts over with a tadpole of ours, where the last one was. */
  enter(id, name) {
    const was = this.me ?? { x: (Math.random() - 0.5) * 500, y: (Math.random() - 0.5) * 300, angle: Math.random() * 6, momentum: 0 }
    this.me = new Tadpole({ ...was, id, name })
    this.tadpoles.set(id, this.me)
  }

  /** Forgets everybody: the server will show who is there. */
  clear() {
    this.tadpoles.clear()
  }

  update(seen, now) {
    if (seen.id === this.me?.id) return // we know better, and sooner
    const known = this.tadpoles.get(seen.id)
    if (known) known.see(seen, now)
    else this.tadpoles.set(seen.id, new Tadpole(seen))
  }

  leave(id) {
    if (id !== this.me?.id) this.tadpoles.delete(id)
  }

  step(dt, now, wish) {
    for (const t of this.tadpoles.values()) {
      if (t === this.me) t.swim(dt, now, wish)
      else t.glide(dt, now)
    }
  }
}
