// What the chat remembers in this browser: the player's name and rooms.

const FIRST = ['Sunny', 'Brisk', 'Mellow', 'Zesty', 'Bright', 'Quiet', 'Lucky', 'Bold', 'Merry', 'Swift']
const SECOND = ['Yuzu', 'Citron', 'Kumquat', 'Bergamot', 'Pomelo', 'Tangelo', 'Lime', 'Clementine', 'Calamansi', 'Satsuma']

/** The room that clients come to when they name none, and what we call it. */
export const LOBBY = '1'
const ROOMS_KEPT = 12

const any = (list) => list[Math.floor(Math.random() * list.length)]

export function loadName() {
  return localStorage.getItem('shaddock.name') || `${any(FIRST)} ${any(SECOND)}`
}

export function saveName(name) {
  localStorage.setItem('shaddock.name', name)
}

/** The rooms visited, the lobby first. */
export function loadRooms() {
  let rooms
  try {
    rooms = JSON.parse(localStorage.getItem('shaddock.rooms'))
  } catch {
    // Another page of this origin wrote it: start over.
  }
  return [LOBBY, ...(Array.isArray(rooms) ? rooms.filter((r) => typeof r === 'string' && r !== LOBBY) : [])]
}

export function saveRooms(rooms) {
  localStorage.setItem('shaddock.rooms', JSON.stringify(rooms.filter((r) => r !== LOBBY).slice(-ROOMS_KEPT)))
}

/** The room in the address of the page. */
export function roomOfPage() {
  return decodeURIComponent(location.hash.slice(1)) || LOBBY
}

export const linkTo = (room) => (room === LOBBY ? '#' : `#${encodeURIComponent(room)}`)
export const titleOf = (room) => (room === LOBBY ? 'lobby' : room)
