/** Fixture programs: static C, compiled on demand into a cache that is keyed by the source. */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const sources = join(import.meta.dirname, '../fixtures/programs')
const cache = join(tmpdir(), 'crio-lxc-test-programs')

export type ProgramName =
  | 'probe'
  | 'launch'
  | 'intruder'
  | 'tracer'
  | 'on-pty'
  | 'console-receiver'
  | 'pidfd-receiver'
  | 'seccomp-agent'
  | 'notify'
  | 'syscall'
  | 'verdicts'
  | 'fault'
  | 'leaderless'
  | 'under-filter'

/** Absolute path of the compiled program. */
export function program(name: ProgramName): string {
  const source = join(sources, `${name}.c`)
  const digest = createHash('sha256').update(readFileSync(source)).digest('hex').slice(0, 16)
  const path = join(cache, `${name}-${digest}`)
  if (!existsSync(path)) {
    mkdirSync(cache, { recursive: true })
    const unfinished = `${path}.${process.pid}`
    execFileSync('cc', ['-Wall', '-Wextra', '-Werror', '-O1', '-static', '-o', unfinished, source])
    renameSync(unfinished, path)
  }
  return path
}
