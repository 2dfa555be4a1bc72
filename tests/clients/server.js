// Starts the real server binary for a test, on free ports.
import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

const root = new URL('../..', import.meta.url).pathname
let binary

// build compiles the server once for all tests of this process.
function build() {
  if (!binary) {
    binary = join(mkdtempSync(join(tmpdir(), 'shaddock-')), 'server')
    execFileSync('go', ['build', '-o', binary, './cmd/server'], { cwd: root, stdio: 'inherit' })
  }
  return binary
}

// serve resolves to the addresses once the server listens; stop ends it and
// resolves to its exit code.
export async function serve(...flags) {
  const child = spawn(build(), ['--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0', '--log-level', 'warn', ...flags],
    { stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = once(child, 'exit')
  const found = {}
  for await (const line of createInterface({ input: child.stdout })) {
    const url = line.match(/https?:\/\/([\d.]+):(\d+)\//)
    if (url && line.startsWith('players')) found.players = { host: url[1], port: Number(url[2]) }
    if (url && line.startsWith('admin')) found.admin = `http://${url[1]}:${url[2]}`
    if (found.players && found.admin) break
  }
  if (!found.players) throw new Error('the server did not start')
  return {
    ...found,
    async stop(signal = 'SIGTERM') {
      child.kill(signal)
      return (await exited)[0]
    },
  }
}
