/** What the packages for both processors are, looked at without installing them. */
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { builtVersion, pack, unpack } from './support/packages.ts'

const repository = resolve(import.meta.dirname, '../..')
const version = builtVersion()
const directory = mkdtempSync(join(tmpdir(), 'crio-lxc-packages-'))
const native = execFileSync('dpkg', ['--print-architecture'], { encoding: 'utf8' }).trim()
const machines: Readonly<Record<string, string>> = { amd64: 'Advanced Micro Devices X86-64', arm64: 'AArch64' }
const documents = 'usr/share/doc/crio-lxc'

afterAll(() => rmSync(directory, { recursive: true }))

describe.each([...new Set([native, 'arm64'])])('the package for %s', (architecture) => {
  const options = [`--architecture=${architecture}`]
  let deb: string
  let tree: string
  beforeAll(() => {
    deb = pack(directory, options)
    tree = unpack(deb)
  })
  afterAll(() => tree && rmSync(tree, { recursive: true }))

  const read = (path: string) => readFileSync(join(tree, path))
  const field = (name: string) => execFileSync('dpkg-deb', ['--field', deb, name], { encoding: 'utf8' }).trim()

  test('is the same, byte for byte, when it is made again: later, elsewhere, with another umask and time zone', () => {
    const elsewhere = join(directory, 'elsewhere')
    mkdirSync(elsewhere, { recursive: true })
    const again = pack(elsewhere, options, [
      'env',
      'TZ=Pacific/Apia',
      'LC_ALL=C',
      'sh',
      '-c',
      'umask 077; exec "$@"',
      'sh',
    ])
    expect(readFileSync(again).equals(readFileSync(deb))).toBe(true)
  })

  test('has one time, whenever its files were built', () => {
    const lines = execFileSync('dpkg-deb', ['--contents', deb], { encoding: 'utf8' }).trim().split('\n')
    expect(new Set(lines.map((line) => /\d{4}-\d\d-\d\d \d\d:\d\d/.exec(line)?.[0])).size).toBe(1)
  })

  test('says its version, its processor, and what it needs on either Debian', () => {
    expect([field('Version'), field('Architecture')]).toEqual([version, architecture])
    expect(field('Depends')).toMatch(/^libc6 \(>= 2\.\d+\), liblxc1 \| liblxc1t64$/)
  })

  test("has programs of that processor's, and nothing else that is executable", () => {
    const executables = execFileSync('find', [join(tree, 'usr'), '-type', 'f', '-perm', '/111'], { encoding: 'utf8' })
    const paths = executables.trim().split('\n').sort()
    expect(paths.map((path) => path.slice(tree.length + 5))).toEqual([
      'bin/crio-lxc',
      'libexec/crio-lxc/crio-lxc-hook',
      'libexec/crio-lxc/crio-lxc-init',
      'libexec/crio-lxc/crio-lxc-start',
      'libexec/crio-lxc/stage/init',
    ])
    for (const path of paths)
      expect(execFileSync('readelf', ['-hW', path], { encoding: 'utf8' })).toContain(
        machines[architecture] ?? architecture,
      )
  })

  test('has no fault that lintian calls an error or a warning', () => {
    const { stdout, status } = spawnSync('lintian', ['--allow-root', '--fail-on=error,warning', deb], {
      encoding: 'utf8',
    })
    expect(stdout).toBe('')
    expect(status).toBe(0)
  })

  test('keeps what an operator changes: everything below /etc is a conffile', () => {
    const below = execFileSync('find', [join(tree, 'etc'), '-type', 'f', '-printf', '/etc/%P\\n'], { encoding: 'utf8' })
    expect(read('DEBIAN/conffiles').toString()).toBe(
      below
        .split('\n')
        .sort()
        .slice(1)
        .map((path) => `${path}\n`)
        .join(''),
    )
  })

  test('has a manual that renders without a warning', () => {
    const manual = gunzipSync(read('usr/share/man/man8/crio-lxc.8.gz'))
    const { stdout, stderr, status } = spawnSync('groff', ['-ww', '-man', '-Tutf8', '-rLL=80n'], {
      input: manual,
      encoding: 'utf8',
    })
    expect({ stderr, status }).toEqual({ stderr: '', status: 0 })
    expect(stdout).toContain('CRIO_LXC_ROOT')
    expect(stdout).toContain(`crio-lxc ${version}`)
  })

  test('has a profile that the parser of AppArmor takes, and contexts that the compiler of SELinux takes', () => {
    const profile = join(tree, 'etc/apparmor.d/crio-lxc')
    expect(spawnSync('apparmor_parser', ['--skip-kernel-load', '--skip-cache', profile]).status).toBe(0)
    const module = join(tree, 'usr/share/crio-lxc/selinux/crio-lxc.cil')
    const contexts = join(directory, 'file_contexts')
    const policy = join(repository, 'test/vm/selinux.cil')
    execFileSync('secilc', ['--output', '/dev/null', '--filecontext', contexts, policy, module])
    expect(readFileSync(contexts, 'utf8')).toMatch(
      /^\S*bin\/crio-lxc\t--\tsystem_u:object_r:container_runtime_exec_t:s0$/m,
    )
  })

  test('lists the system calls of the runtime as a seccomp profile', () => {
    const { defaultAction, syscalls } = JSON.parse(read('usr/share/crio-lxc/seccomp.json').toString())
    expect(defaultAction).toBe('SCMP_ACT_ERRNO')
    expect(syscalls.flatMap(({ names }: { names: string[] }) => names)).toContain('move_mount')
  })

  test('lists every work that NOTICE names, as CycloneDX', () => {
    const bill = JSON.parse(read(`${documents}/bom.cdx.json`).toString()) as {
      bomFormat: string
      specVersion: string
      components: { type: string; name: string; version: string; purl: string; licenses: unknown[] }[]
    }
    expect(bill).toMatchObject({ bomFormat: 'CycloneDX', specVersion: '1.5' })
    const notice = read(`${documents}/NOTICE`).toString()
    const named = [...notice.matchAll(/^ {2}(\w+)(?: [\d.]+)?, (?:MIT|LGPL|GPL)/gm)].map(([, name = '']) =>
      name.toLowerCase(),
    )
    expect(named.length).toBeGreaterThan(5)
    expect(bill.components.map(({ name }) => name)).toEqual(expect.arrayContaining([...named, 'yargs']))
    for (const component of bill.components) {
      expect(component).toMatchObject({ type: 'library', version: expect.stringMatching(/^\d/), licenses: [{}] })
      expect(component.purl).toContain(`@${component.version}`)
    }
  })

  test('only declares the runtime to CRI-O and podman', () => {
    const lines = (path: string) =>
      read(path)
        .toString()
        .split('\n')
        .filter((line) => line !== '' && !line.startsWith('#'))
    expect(lines('etc/crio/crio.conf.d/10-crio-lxc.conf').filter((line) => line.startsWith('['))).toEqual([
      '[crio.runtime.runtimes.crio-lxc]',
    ])
    expect(lines('etc/containers/containers.conf.d/10-crio-lxc.conf')).toEqual([
      '[engine.runtimes]',
      'crio-lxc = ["/usr/bin/crio-lxc"]',
    ])
  })

  test('leaves nothing of the build in itself', () => {
    const found = spawnSync('grep', ['-rlF', repository, tree], { encoding: 'utf8' })
    expect(found.stdout).toBe('')
    expect(existsSync(join(tree, 'usr/lib'))).toBe(false)
    expect(readdirSync(join(tree, documents)).sort()).toEqual([
      'CHANGELOG.md.gz',
      'NOTICE',
      'bom.cdx.json',
      'changelog.gz',
      'copyright',
    ])
  })
})
