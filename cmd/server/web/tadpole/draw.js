// Draws the pond on a canvas, around our tadpole.

const RADIUS = 7
const STEP = 4.2 // between joints of a tail
const MOTES = 90 // specks that show the water move
const FIELD = 1400 // after which they repeat
const MARGIN = 22 // of the arrows that point to those out of sight
const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", sans-serif'

/** The golden angle keeps neighbours apart in colour. */
const hue = (id) => (id * 137.508) % 360

const mod = (a, n) => ((a % n) + n) % n

export class Picture {
  #canvas
  #pen
  #camera = { x: 0, y: 0 }
  #motes = Array.from({ length: MOTES }, (_, i) => ({ x: mod(i * 977.3, FIELD), y: mod(i * 613.7, FIELD), depth: 0.25 + (i % 7) / 10 }))
  #width = 0
  #height = 0
  #ink = {}

  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.#canvas = canvas
    this.#pen = canvas.getContext('2d')
    new ResizeObserver(() => this.#fit()).observe(canvas)
    this.#fit()
  }

  /** Where a place in the pond is on the screen. */
  at({ x, y }) {
    return { x: x - this.#camera.x + this.#width / 2, y: y - this.#camera.y + this.#height / 2 }
  }

  #fit() {
    const scale = Math.min(2, devicePixelRatio)
    this.#width = this.#canvas.clientWidth
    this.#height = this.#canvas.clientHeight
    this.#canvas.width = Math.round(this.#width * scale)
    this.#canvas.height = Math.round(this.#height * scale)
    this.#pen.setTransform(scale, 0, 0, scale, 0, 0)
  }

  /**
   * The colours follow the theme, which may change at any time: they are what
   * properties of the element come to that a canvas does not use itself.
   */
  #colours() {
    const style = getComputedStyle(this.#canvas)
    this.#ink = { text: style.color, words: style.outlineColor, mote: style.borderTopColor, tone: style.caretColor }
  }

  /** @param {import('./world.js').World} world */
  frame(world, dt) {
    this.#colours()
    const pen = this.#pen
    const { me } = world
    if (me) {
      const share = 1 - Math.exp(-5 * dt)
      const far = Math.hypot(me.x - this.#camera.x, me.y - this.#camera.y) > 2000
      this.#camera.x += (me.x - this.#camera.x) * (far ? 1 : share)
      this.#camera.y += (me.y - this.#camera.y) * (far ? 1 : share)
    }
    pen.clearRect(0, 0, this.#width, this.#height)
    this.#water()
    const near = []
    for (const t of world.tadpoles.values()) {
      const { x, y } = this.at(t)
      if (x < -60 || y < -60 || x > this.#width + 60 || y > this.#height + 60) this.#arrow(t, x, y)
      else near.push({ t, x, y, mine: t === me })
    }
    for (const n of near) this.#tadpole(n)
    for (const n of near) this.#name(n)
    for (const n of near) this.#words(n)
  }

  #water() {
    const pen = this.#pen
    pen.fillStyle = this.#ink.mote
    for (const { x, y, depth } of this.#motes) {
      const px = mod(x - this.#camera.x * depth, FIELD)
      const py = mod(y - this.#camera.y * depth, FIELD)
      for (let left = px; left < this.#width; left += FIELD) {
        for (let top = py; top < this.#height; top += FIELD) {
          pen.beginPath()
          pen.arc(left, top, depth * 3, 0, 7)
          pen.fill()
        }
      }
    }
  }

  #colour(t, alpha = 1) {
    return `oklch(from ${this.#ink.tone} l 0.15 ${hue(t.id)} / ${alpha})`
  }

  #tadpole({ t, x, y, mine }) {
    const pen = this.#pen
    if (mine) {
      const glow = pen.createRadialGradient(x, y, RADIUS, x, y, RADIUS * 5)
      glow.addColorStop(0, this.#colour(t, 0.35))
      glow.addColorStop(1, this.#colour(t, 0))
      pen.fillStyle = glow
      pen.beginPath()
      pen.arc(x, y, RADIUS * 5, 0, 7)
      pen.fill()
    }
    // The tail: each joint lies behind the one before it and swings a little more.
    pen.strokeStyle = pen.fillStyle = this.#colour(t)
    pen.lineCap = 'round'
    let [jx, jy] = [x - Math.cos(t.heading) * RADIUS * 0.6, y - Math.sin(t.heading) * RADIUS * 0.6]
    for (let i = 0; i < t.tail.length; i++) {
      const swing = Math.sin(t.phase - i * 0.75) * (0.1 + i * 0.05)
      const [nx, ny] = [jx - Math.cos(t.tail[i] + swing) * STEP, jy - Math.sin(t.tail[i] + swing) * STEP]
      pen.lineWidth = 7 * (1 - i / t.tail.length) + 0.6
      pen.beginPath()
      pen.moveTo(jx, jy)
      pen.lineTo(nx, ny)
      pen.stroke()
      ;[jx, jy] = [nx, ny]
    }
    pen.beginPath()
    pen.ellipse(x, y, RADIUS * 1.15, RADIUS, t.heading, 0, 7)
    pen.fill()
    // Two eyes, to see where it looks.
    for (const side of [-0.6, 0.6]) {
      const [ex, ey] = [x + Math.cos(t.heading + side) * RADIUS * 0.65, y + Math.sin(t.heading + side) * RADIUS * 0.65]
      pen.fillStyle = '#fff'
      pen.beginPath()
      pen.arc(ex, ey, 2.1, 0, 7)
      pen.fill()
      pen.fillStyle = '#17212b'
      pen.beginPath()
      pen.arc(ex + Math.cos(t.heading) * 0.6, ey + Math.sin(t.heading) * 0.6, 1.1, 0, 7)
      pen.fill()
    }
  }

  #name({ t, x, y, mine }) {
    const pen = this.#pen
    pen.font = `${mine ? 600 : 400} 12px ${FONT}`
    pen.textAlign = 'center'
    pen.textBaseline = 'top'
    pen.fillStyle = this.#ink.text
    pen.globalAlpha = mine ? 1 : 0.75
    pen.strokeStyle = this.#ink.words // a seam, since tails pass behind names
    pen.lineWidth = 3
    pen.lineJoin = 'round'
    pen.strokeText(t.name, x, y + RADIUS + 9, 160)
    pen.fillText(t.name, x, y + RADIUS + 9, 160)
    pen.globalAlpha = 1
  }

  #words({ t, x, y }) {
    const pen = this.#pen
    pen.font = `14px ${FONT}`
    pen.textAlign = 'center'
    pen.textBaseline = 'middle'
    let bottom = y - RADIUS - 10
    for (let i = t.words.length - 1; i >= 0; i--) {
      const lines = wrap(pen, t.words[i].text, 220)
      const width = Math.max(...lines.map((line) => pen.measureText(line).width)) + 20
      const height = lines.length * 19 + 10
      pen.globalAlpha = i === t.words.length - 1 ? 1 : 0.75
      pen.fillStyle = this.#ink.words
      pen.beginPath()
      pen.roundRect(x - width / 2, bottom - height, width, height, 11)
      pen.fill()
      pen.fillStyle = this.#ink.text
      lines.forEach((line, n) => pen.fillText(line, x, bottom - height + 15 + n * 19))
      bottom -= height + 4
    }
    pen.globalAlpha = 1
  }

  /** Points from the edge to one that is out of sight; the farther, the fainter. */
  #arrow(t, x, y) {
    const pen = this.#pen
    const [cx, cy] = [this.#width / 2, this.#height / 2]
    const [dx, dy] = [x - cx, y - cy]
    const fit = Math.min((cx - MARGIN) / Math.abs(dx), (cy - MARGIN) / Math.abs(dy))
    pen.save()
    pen.translate(cx + dx * fit, cy + dy * fit)
    pen.rotate(Math.atan2(dy, dx))
    pen.fillStyle = this.#colour(t, Math.max(0.2, 0.8 - Math.hypot(dx, dy) / 3000))
    pen.beginPath()
    pen.moveTo(6, 0)
    pen.lineTo(-4, 4.5)
    pen.lineTo(-2, 0)
    pen.lineTo(-4, -4.5)
    pen.fill()
    pen.restore()
  }
}

/** Breaks text into at most three lines that fit; what does not fit is left out. */
function wrap(pen, text, width) {
  const lines = ['']
  for (const word of text.split(/\s+/)) {
    const longer = `${lines.at(-1)} ${word}`.trim()
    if (pen.measureText(longer).width <= width || lines.at(-1) === '') lines[lines.length - 1] = longer
    else if (lines.length < 3) lines.push(word)
    else {
      lines[2] += ' …'
      break
    }
  }
  return lines.map((line) => {
    if (pen.measureText(line).width <= width) return line
    let cut = line.length
    while (cut > 1 && pen.measureText(`${line.slice(0, cut)}…`).width > width) cut--
    return `${line.slice(0, cut)}…`
  })
}
