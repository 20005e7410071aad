import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { Bundle } from '../../support/bundle.ts'
import { useContainers } from '../../support/containers.ts'
import { requires } from '../../support/requires.ts'
import { messageOf } from '../../support/runtime.ts'

requires('root')
const t = useContainers()

/** podman maps these texts to 127 and 126 (oci_conmon_common.go getOCIRuntimeError). */
const notFound = /executable file not found in|no such file or directory/i
const notPermitted = /permission denied|operation not permitted/i

async function bundleWithFiles(
  args: string[],
  process: { cwd?: string; user?: { uid: number; gid: number } } = {},
): Promise<Bundle> {
  const bundle = await t.bundle({ args, process })
  mkdirSync(`${bundle.rootfs}/opt/directory`, { recursive: true })
  writeFileSync(`${bundle.rootfs}/opt/data`, 'not a program')
  writeFileSync(`${bundle.rootfs}/opt/root-only`, '#!/bin/sh\n')
  chmodSync(`${bundle.rootfs}/opt/root-only`, 0o700)
  symlinkSync('/no/where', `${bundle.rootfs}/opt/dangling`)
  symlinkSync('loop', `${bundle.rootfs}/opt/loop`)
  return bundle
}

describe('an executable that cannot run is reported by create', () => {
  it.each([
    ['missing in PATH', ['no-such-program'], /exec: "no-such-program": executable file not found in \$PATH/],
    ['missing by absolute path', ['/opt/missing'], /\/opt\/missing.*no such file or directory/],
    ['missing by relative path', ['./missing'], notFound],
    ['a dangling link', ['/opt/dangling'], /no such file or directory/],
    ['a directory', ['/opt/directory'], /permission denied|is a directory/],
    ['not executable', ['/opt/data'], notPermitted],
    ['empty', [''], notFound],
  ])('%s', async (_, args, text) => {
    const bundle = await bundleWithFiles(args)
    const result = await t.runtime(['create', '--bundle', bundle.path, t.id()])
    expect(result).toMatchObject({ exitCode: 1, stdout: '' })
    expect(messageOf(result)).toMatch(text)
    t.expectNothingLeft()
  })

  it('not executable for the user of the process', async () => {
    const bundle = await bundleWithFiles(['/opt/root-only'], { user: { uid: 1000, gid: 1000 } })
    const result = await t.run(bundle)
    expect(result.exitCode).not.toBe(0)
    expect(result.stderr).toMatch(notPermitted)
  })

  it('a link that leads to itself', async () => {
    const bundle = await bundleWithFiles(['/opt/loop'])
    const result = await t.runtime(['create', '--bundle', bundle.path, t.id()])
    expect(result.exitCode).toBe(1)
    expect(messageOf(result)).toMatch(/too many levels of symbolic links|\/opt\/loop/)
  })

  it('an env without PATH still finds nothing on the host', async () => {
    const bundle = await t.bundle({ args: ['no-such-program'], process: { env: [] } })
    const result = await t.runtime(['create', '--bundle', bundle.path, t.id()])
    expect(result.exitCode).toBe(1)
    expect(messageOf(result)).toMatch(notFound)
  })
})
