import { execFileSync } from 'node:child_process'
import { readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { Containers } from './containers.ts'

/** A disk of 16 MiB under bfq, gone after the test. */
export function bfqDisk(t: Containers): { major: number; minor: number } {
  const file = join(t.hostDirectory(), 'disk')
  writeFileSync(file, '')
  truncateSync(file, 16 << 20)
  const disk = execFileSync('losetup', ['--find', '--show', file], { encoding: 'utf8' }).trim()
  t.defer(() => {
    execFileSync('losetup', ['--detach', disk])
  })
  const scheduler = `/sys/block/${basename(disk)}/queue/scheduler`
  const [, before = 'none'] = /\[(\S+)\]/.exec(readFileSync(scheduler, 'utf8')) ?? []
  writeFileSync(scheduler, 'bfq')
  t.defer(() => writeFileSync(scheduler, before))
  const { rdev } = statSync(disk)
  return { major: rdev >> 8, minor: rdev & 0xff }
}
