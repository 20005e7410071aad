/** Weights of one device, which only a device with the bfq scheduler has: a loop device of the test's own. */
import { expect, it } from 'vitest'
import { bfqDisk } from '../../support/bfq-disk.ts'
import { isV1, readCgroup } from '../../support/cgroup-files.ts'
import { useContainers } from '../../support/containers.ts'
import { requires } from '../../support/requires.ts'

requires('root', 'bfq')
const t = useContainers()

it('linux.resources.blockIO.weightDevice is set beside the weight of the others', async () => {
  const { major, minor } = bfqDisk(t)
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
