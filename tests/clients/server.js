// Starts the real server binary for a test, on free ports.
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { createInterface } from 'node:readline'

const root = join(import.meta.dirname, '..', '..')
let folder
const binaries = new Map()
const running = new Set()

process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
  if (folder) rmSync(folder, { recursive: true })
})

/** A folder for the files of this process, gone when it exits. */
export function scratch() {
  return (folder ??= mkdtempSync(join(tmpdir(), 'shaddock-')))
}

/** Compiles a program once for all tests of this process. */
function build(source) {
  let binary = binaries.get(source)
  if (!binary) {
    binary = join(scratch(), basename(source))
    execFileSync('go', ['build', '-o', binary, source], { cwd: root, stdio: 'inherit' })
    binaries.set(source, binary)
  }
  return binary
}

/**
 * Resolves to the addresses once the server listens. `stop` ends it and resolves
 * to its exit code. A flag given here wins over the ones set for all.
 */
export async function serve(...flags) {
  const child = spawn(build('./cmd/server'), ['--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0', '--log-level', 'warn', ...flags],
    { stdio: ['ignore', 'pipe', 'inherit'] })
  running.add(child)
  const exited = once(child, 'exit').finally(() => running.delete(child))
  const found = {}
  for await (const line of createInterface({ input: child.stdout })) {
    const [, origin, host, port] = line.match(/(https?:\/\/([\d.]+):(\d+))\//) ?? []
    if (line.startsWith('players')) Object.assign(found, { origin, ws: `ws://${host}:${port}/nano`, players: { host, port: Number(port) } })
    if (line.startsWith('admin')) found.admin = origin
    if (found.players && found.admin) break
  }
  if (!found.players) throw new Error('the server did not start')
  return {
    ...found,
    async stop(signal = 'SIGTERM') {
      child.kill(signal)
      return (await exited)[0]
    },
    /** Ends a session as an operator does. */
    async kick(session, reason) {
      const res = await fetch(`${found.admin}/kick`, { method: 'POST', body: new URLSearchParams({ session, reason }) })
      if (!res.ok) throw new Error(`kick: ${res.status} ${await res.text()}`)
    },
  }
}

/**
 * Resolves to the cluster of `make cluster-demo` on free ports, once all of it runs:
 * the pages of its gates and of operators, and the processes of its room hosts.
 */
export async function cluster(...flags) {
  const child = spawn(build('./tests/demo'), ['--port', '0', ...flags], { stdio: ['ignore', 'pipe', 'inherit'] })
  running.add(child)
  const exited = once(child, 'exit').finally(() => running.delete(child))
  const found = { gates: [], pages: [], hosts: {} }
  for await (const line of createInterface({ input: child.stdout })) {
    const [, name, what] = line.match(/^ {2}(\S+) +(.+)$/) ?? []
    if (what?.endsWith('/web/')) found.gates.push(what)
    if (what?.endsWith('/cluster')) found.pages.push(what)
    if (what?.startsWith('kill -9 ')) found.hosts[name] = Number(what.slice(8))
    if (line.startsWith('ctrl-C')) return { ...found, stop: () => (child.kill('SIGTERM'), exited.then(([code]) => code)) }
  }
  throw new Error('the demo did not start')
}
