// The declarations compile, say what users write, and fit the code: the client
// class implements its declaration, and all of the SDK passes the strict checker.
import { execFileSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { it } from 'node:test'

it('holds for the SDK and for a program that uses it', () => {
  const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc')
  execFileSync(process.execPath, [tsc, '-p', 'types'], { cwd: import.meta.dirname, stdio: 'inherit' })
})
