/** A bind whose target in the rootfs is of the other kind: Docker knows both by "not a directory", and says what to look at. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'

const t = useContainers()

it.each([
  ['a file on a directory', 'file', '/bin', /: the source is not a directory, so \/bin must not be one either\n$/],
  ['a directory on a file', 'directory', '/etc/passwd', /not a directory: \/etc\/passwd must be a directory, /],
  ['a directory below a file', 'directory', '/etc/passwd/x', /not a directory: \/etc\/passwd\/x must be a directory, /],
])('%s', async (_, name, destination, sentence) => {
  const host = t.hostDirectory()
  writeFileSync(join(host, 'file'), '')
  mkdirSync(join(host, 'directory'))
  const bundle = await t.bundle({
    spec: (spec) => spec.mounts.push({ destination, type: 'bind', source: join(host, name), options: ['bind'] }),
  })
  const result = await t.run(bundle)
  expect(result.exitCode).toBe(1)
  expect(result.stderr).toMatch(sentence)
  expect(result.stderr).toMatch(new RegExp(`^(attach|open) .*${destination}.* for mounts\\[\\d+\\]: `))
})
