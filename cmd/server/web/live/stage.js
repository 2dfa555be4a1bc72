// The stage: messages that fly from right to left in lanes.
//
// A lane is a strip of pixels on which each message is written once, off stage;
// a frame copies from each strip the part that is in sight. So a frame costs as
// much as there are lanes, however many messages fly. A strip is twice as wide as
// the stage and used as a ring.
//
// What the lanes in front cannot take flies behind them, small and fast: with
// hundreds of messages a second nobody reads each, but everybody sees the crowd.

const FONT = 'system-ui, sans-serif'
const FRONT = { height: 34, gap: 28, speed: 150, alpha: 1, text: `650 20px ${FONT}`, label: `500 14px ${FONT}`, longest: 60 }
const BACK = { height: 17, gap: 14, speed: 420, alpha: 0.3, text: `500 13px ${FONT}`, label: '', longest: 24 }

const WAITING = 80 // messages that may wait for a lane; what is older is left out
const PATIENT = 24 // of them, those that wait for one in front

const hues = new Map()

/** A colour for each name. */
function hue(name) {
  if (!hues.has(name)) {
    if (hues.size > 5000) hues.clear()
    let h = 0
    for (const c of name) h = (h * 31 + c.codePointAt(0)) % 360
    hues.set(name, h)
  }
  return hues.get(name)
}

const shorten = (text, longest) => (text.length > longest ? `${Array.from(text).slice(0, longest).join('')}…` : text)

class Lane {
  /**
   * @param {typeof FRONT} look
   * @param {number} width of the stage
   * @param {number} ratio of device pixels
   */
  constructor(look, width, ratio) {
    this.look = look
    this.width = width
    this.ring = 2 * width
    this.ratio = ratio
    this.speed = look.speed * (0.9 + 0.35 * Math.random())
    this.left = 0 // where the stage begins, on a strip without end
    this.end = -1 // of the last message
    this.clean = this.ring
    this.strip = document.createElement('canvas')
    this.strip.width = this.ring * ratio
    this.strip.height = look.height * ratio
    this.pen = this.strip.getContext('2d')
    this.pen.scale(ratio, ratio)
    this.pen.textBaseline = 'middle'
    this.pen.lineJoin = 'round'
  }

  /** Whether another message can set out now. */
  get free() { return this.end + this.look.gap <= this.left + this.width }

  write({ name, content, mine }) {
    const { look, pen } = this
    const label = look.label && shorten(name, 24)
    const text = shorten(content, look.longest)
    pen.font = look.label
    const first = label ? pen.measureText(label).width + 8 : 0
    pen.font = look.text
    const size = Math.min(first + pen.measureText(text).width + 20, this.width - look.gap)
    const x = Math.max(this.end + look.gap * (1 + Math.random()), this.left + this.width)
    this.end = x + size
    // Written twice where the ring closes within the message.
    for (const at of [x % this.ring, (x % this.ring) - this.ring]) {
      if (at + size <= 0) continue
      if (mine) {
        pen.fillStyle = '#ff8095'
        pen.beginPath()
        pen.roundRect(at, 3, size, look.height - 6, 14)
        pen.fill()
      }
      const colour = `oklch(0.82 0.13 ${hue(name)})`
      if (label) this.#words(label, at + 10, look.label, mine, colour)
      this.#words(text, at + 10 + first, look.text, mine, look === FRONT ? '#fff' : colour)
    }
  }

  #words(text, x, font, mine, colour) {
    const { pen, look } = this
    const y = look.height / 2 + 1
    pen.font = font
    if (!mine && look === FRONT) { // readable on whatever lies below
      pen.strokeStyle = '#0b0910d0'
      pen.lineWidth = 4
      pen.strokeText(text, x, y)
    }
    pen.fillStyle = mine ? '#2a0c13' : colour
    pen.fillText(text, x, y)
  }

  /** Moves on, and wipes what has left the stage. */
  move(px) {
    this.left += px
    const upTo = this.left + this.ring
    for (let from = this.clean; from < upTo;) {
      const at = from % this.ring
      const n = Math.min(upTo - from, this.ring - at)
      this.pen.clearRect(at - 0.5, 0, n + 1, this.look.height)
      from += n
    }
    this.clean = upTo
    if (this.end < this.left - this.ring) this.end = this.left - 1 // nothing in sight
  }

  /** Copies what is in sight. */
  draw(screen, y) {
    if (this.end < this.left) return
    const { ratio } = this
    const at = Math.floor((this.left % this.ring) * ratio)
    const total = this.strip.width
    const high = this.strip.height
    const width = Math.min(this.width * ratio, total)
    const head = Math.min(width, total - at)
    screen.globalAlpha = this.look.alpha
    screen.drawImage(this.strip, at, 0, head, high, 0, y * ratio, head, high)
    if (head < width) screen.drawImage(this.strip, 0, 0, width - head, high, head, y * ratio, width - head, high)
  }
}

export class Stage {
  /** Messages that came, and those of them that found a place, ever. */
  heard = 0
  shown = 0

  #front = []
  #back = []
  #waiting = []
  #last = 0
  #pace = 1

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {Element} below what nothing flies over
   */
  constructor(canvas, below) {
    this.below = below
    this.canvas = canvas
    this.screen = canvas.getContext('2d')
    new ResizeObserver(() => this.#resize()).observe(canvas)
    this.#resize()
  }

  #resize() {
    const ratio = Math.min(devicePixelRatio || 1, 2)
    const { clientWidth: width, clientHeight: height } = this.canvas
    if (!width || (width === this.width && height === this.height && ratio === this.ratio)) return
    Object.assign(this, { width, height, ratio })
    this.canvas.width = width * ratio
    this.canvas.height = height * ratio
    this.top = this.below.getBoundingClientRect().bottom + 16
    const room = height - this.top - 90 // above the box to write in
    const lanes = (look, least) => Array.from({ length: Math.max(least, Math.floor(room / look.height)) }, () => new Lane(look, width, ratio))
    this.#front = lanes(FRONT, 3)
    this.#back = lanes(BACK, 0)
  }

  /** @param {{name: string, content: string, mine?: boolean}} message */
  add(message) {
    this.heard++
    if (message.mine) this.#waiting.unshift(message)
    else this.#waiting.push(message)
    if (this.#waiting.length > WAITING) this.#waiting.splice(0, this.#waiting.length - WAITING)
  }

  clear() {
    this.#waiting = []
    this.width = 0
    this.#resize()
  }

  /** @param {number} at seconds */
  frame(at) {
    const dt = Math.min(at - this.#last, 0.1) // after the tab was hidden
    this.#last = at
    // A full house flies faster, up to a limit at which one can still read.
    const wish = 1 + Math.min(1, this.#waiting.length / PATIENT) * 0.8
    this.#pace += (wish - this.#pace) * Math.min(1, dt * 2)
    for (const lane of this.#front) lane.move(lane.speed * this.#pace * dt)
    for (const lane of this.#back) lane.move(lane.speed * dt)
    this.#place(this.#front, 0)
    this.#place(this.#back, PATIENT)
    this.screen.clearRect(0, 0, this.canvas.width, this.canvas.height)
    for (const lanes of [this.#back, this.#front]) {
      lanes.forEach((lane, i) => lane.draw(this.screen, this.top + i * lane.look.height))
    }
  }

  /** Lets messages set out, the oldest first, as long as more than `keep` wait. */
  #place(lanes, keep) {
    if (this.#waiting.length <= keep) return
    const free = lanes.filter((lane) => lane.free)
    while (free.length && this.#waiting.length > keep) {
      const [lane] = free.splice(Math.floor(Math.random() * free.length), 1)
      lane.write(this.#waiting.shift())
      this.shown++
    }
  }
}
