import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Containers } from './containers.ts'
import { program } from './programs.ts'
import { waitFor } from './wait-for.ts'

/** Path of a socket for the terminal, on which somebody listens until the test ends and keeps what comes. */
export async function consoleSocket(t: Containers): Promise<string> {
  const path = join(t.hostDirectory('socket-'), 'socket')
  const receiver = spawn(program('console-receiver'), [path], { stdio: ['pipe', 'ignore', 'inherit'] })
  t.defer(() => void receiver.kill('SIGKILL'))
  await waitFor(() => existsSync(path))
  return path
}
