/** Weights of one device, which only a device with the bfq scheduler has: a loop device of the test's own. */
import { execFileSync } from 'node:child_process'
import { readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { expect, it } from 'vitest'
import { isV1, readCgroup } from '../../support/cgroup-files.ts'
import { useContainers } from '../../support/containers.ts'
import { requires } from '../../support/requires.ts'

requires('root', 'bfq')
const t = useContainers()

/** A disk of 16 MiB under bfq, gone after the test. */
function bfqDisk(): { major: number; minor: number } {
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

it('linux.resources.blockIO.weightDevice is set beside the weight of the others', async () => {
  const { major, minor } = bfqDisk()
  const { pid } = await t.create({
    spec: (spec) => {
      spec.linux.resources.blockIO = { weight: 200, weightDevice: [{ major, minor, weight: 700 }] }
    },
  })
  const controller = isV1('blkio') ? 'blkio' : 'io'
  const text = readCgroup(pid, controller, 'blkio.bfq.weight_device', 'io.bfq.weight')
  expect(text).toMatch(new RegExp(`^${major}:${minor} 700$`, 'm'))
  if (isV1('blkio')) expect(readCgroup(pid, controller, 'blkio.bfq.weight')).toBe('200')
  else expect(text).toMatch(/^default 200$/m)
})
