/** The runtime for arm64, cross-built and emulated: that it starts, reads its arguments and makes system calls. */
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { defaultSpec } from '@crio-lxc/core/oci/default-spec'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { buildProgram } from '../../scripts/engine.ts'
import { arm64Target } from '../../scripts/engine-target.ts'
import { requires } from '../support/requires.ts'

const bundles = resolve(import.meta.dirname, '../../packages/runtime-cli/dist/engine')

describe('the runtime on arm64', () => {
  requires('arm64-packages')

  let directory: string
  let runtime: string
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'arm64-'))
    runtime = join(directory, 'bin/crio-lxc')
    mkdirSync(join(directory, 'bin'))
    copyFileSync(buildProgram(bundles, 'crio-lxc.js', arm64Target()), runtime)
  }, 600_000)
  afterAll(() => rmSync(directory, { recursive: true, force: true }))

  function run(...args: readonly string[]): { status: number | null; stdout: string; stderr: string } {
    const root = join(directory, 'state')
    return spawnSync('qemu-aarch64-static', [runtime, '--root', root, ...args], { encoding: 'utf8', timeout: 60_000 })
  }

  test('names its version', () => {
    expect(run('--version')).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^crio-lxc version /),
      stderr: '',
    })
  })

  test('lists its features, those of libseccomp as well', () => {
    const { status, stdout } = run('features')
    expect(status).toBe(0)
    expect(JSON.parse(stdout).linux.seccomp.archs).toContain('SCMP_ARCH_AARCH64')
  })

  test('looks into its directory', () => {
    mkdirSync(join(directory, 'state'))
    expect(run('list', '--quiet')).toMatchObject({ status: 0, stdout: '', stderr: '' })
    expect(run('state', 'missing')).toMatchObject({ status: 1, stderr: 'container does not exist: missing\n' })
  })

  // The emulator of Debian 12 has no openat2(2), so that no root is opened.
  test('reads and checks a bundle', () => {
    const bundle = join(directory, 'bundle')
    mkdirSync(join(bundle, 'rootfs'), { recursive: true })
    writeFileSync(join(bundle, 'config.json'), JSON.stringify(defaultSpec))
    expect(run('debug', 'plan', bundle).stderr).toMatch(/^(root\.path: .*\n)?$/)
    writeFileSync(join(bundle, 'config.json'), JSON.stringify({ ...defaultSpec, hostname: 1 }))
    expect(run('debug', 'plan', bundle)).toMatchObject({
      status: 1,
      stderr: 'hostname: must be a string, got number\n',
    })
  })
})
