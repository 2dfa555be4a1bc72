// What the player wants: a pointer that is held down, or keys.

const KEYS = {
  ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0],
  KeyW: [0, -1], KeyS: [0, 1], KeyA: [-1, 0], KeyD: [1, 0],
}
const NEAR = 12 // pixels from the tadpole within which a pointer means: stay

/**
 * Watches the player.
 * @param {HTMLElement} area where a pointer steers
 * @returns {(centre: {x: number, y: number}) => {angle: number, effort: number} | undefined}
 *   the wish at this moment, `centre` being where our tadpole is on the screen
 */
export function steering(area) {
  let pointer
  const down = new Set()
  area.addEventListener('pointerdown', (e) => {
    pointer = e
    area.setPointerCapture(e.pointerId)
    document.activeElement?.blur() // so that keys steer again
  })
  area.addEventListener('pointermove', (e) => { pointer &&= e })
  for (const end of ['pointerup', 'pointercancel']) area.addEventListener(end, () => { pointer = undefined })
  addEventListener('keydown', (e) => {
    if (e.target instanceof HTMLInputElement || e.ctrlKey || e.metaKey || e.altKey || !(e.code in KEYS)) return
    down.add(e.code)
    e.preventDefault()
  })
  addEventListener('keyup', (e) => down.delete(e.code))
  addEventListener('blur', () => down.clear())

  return (centre) => {
    let x = 0
    let y = 0
    for (const code of down) {
      x += KEYS[code][0]
      y += KEYS[code][1]
    }
    if (x || y) return { angle: Math.atan2(y, x), effort: 1 }
    if (!pointer) return undefined
    const [dx, dy] = [pointer.clientX - centre.x, pointer.clientY - centre.y]
    const distance = Math.hypot(dx, dy)
    return distance < NEAR ? undefined : { angle: Math.atan2(dy, dx), effort: Math.min(1, distance / 160) }
  }
}
