// What one room has said to this player, as a value: no page, no connection, no
// clock of its own.

/** How many lines are kept. */
const KEPT = 500

/**
 * A line of the log.
 * @typedef {object} Line
 * @property {number} id
 * @property {'message' | 'notice'} kind
 * @property {string} content
 * @property {number} at ms, as Date.now()
 * @property {string} [name] of the speaker
 * @property {boolean} [mine]
 * @property {'queued' | 'sending' | 'said' | 'failed'} [state] of a line of ours
 */

export class Conversation {
  #nextID = 1
  /** @type {Line[]} */
  lines = []
  /** @type {Set<string>} ids of the others who are here */
  members = new Set()
  /** @type {Map<string, number>} when each name was last heard */
  voices = new Map()

  /** A line of ours, not sent yet. */
  compose(name, content, now) {
    return this.#add({ kind: 'message', name, content, at: now, mine: true, state: 'queued' })
  }

  /**
   * The room said something. Everyone hears everyone, the sender too, so that our
   * own line comes back: that is how we know it was heard. It is the oldest one of
   * that text that we still wait for.
   */
  hear({ name, content }, now) {
    const own = this.lines.find((l) => l.state === 'sending' && l.name === name && l.content === content)
    if (own) {
      own.state = 'said'
      return own
    }
    this.voices.delete(name)
    this.voices.set(name, now)
    return this.#add({ kind: 'message', name: String(name), content: String(content), at: now })
  }

  notice(content, now) {
    return this.#add({ kind: 'notice', content, at: now })
  }

  /** Who was here when we came. */
  meet(ids) {
    this.members = new Set(ids.map(String))
  }

  /** The id at the end of a notice about somebody, such as "New user: 17". */
  static idIn(content) {
    return /(\d+)$/.exec(content)?.[1]
  }

  arrive(id, now) {
    if (!id || this.members.has(id)) return undefined
    this.members.add(id)
    return this.notice(`${guest(id)} joined`, now)
  }

  depart(id, now) {
    return this.members.delete(id) ? this.notice(`${guest(id)} left`, now) : undefined
  }

  /** Our lines in a state, oldest first. */
  ours(state) {
    return this.lines.filter((l) => l.state === state)
  }

  /** The connection is gone: nobody knows whether what was on its way arrived. */
  lose() {
    const lost = this.ours('sending')
    for (const line of lost) line.state = 'failed'
    this.members.clear()
    return lost
  }

  #add(line) {
    line.id = this.#nextID++
    this.lines.push(line)
    if (this.lines.length > KEPT) this.lines.shift()
    return line
  }
}

/** What we call a player of whom we know the id alone. */
export const guest = (id) => `Guest ${String(id).slice(-4)}`
