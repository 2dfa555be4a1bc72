/** mulberry32: the same numbers on every machine. Returns a function to a number below its argument. */
export function random(state) {
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) % below
  }
}

export const seed = Number(process.env.SEED ?? 20261121)

/** A message that a JS client can send or read; the body is hex. */
export function randomMessage(rand) {
  const letters = 'abcdefghijklmnopqrstuvwxyz.ABC_019äöü漢字'
  const [response, withID] = [2, [0, 2]]
  const type = rand(4)
  const compressed = type !== response && rand(2) === 1
  const named = type !== response && !compressed
  return {
    type,
    id: withID.includes(type) ? 1 + rand(2 ** rand(31)) : 0, // ids of every length a JS client can use
    code: compressed ? 1 + rand(65535) : 0,
    route: named ? Array.from({ length: 1 + rand(60) }, () => letters[rand(letters.length)]).join('') : '',
    body: Buffer.from(Array.from({ length: rand(200) }, () => rand(256))).toString('hex'),
  }
}
