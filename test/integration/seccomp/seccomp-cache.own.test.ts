/** Compiled filters below the runtime root: taken when they are the very ones, and nothing else is ever taken. */
import { execFileSync, spawnSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import type { Seccomp } from '@crio-lxc/core/oci/linux'
import { cacheEntry } from '@crio-lxc/core/seccomp/cache-entry'
import { beforeEach, describe, expect, it } from 'vitest'
import containerd from '../../fixtures/seccomp/containerd.json' with { type: 'json' }
import docker from '../../fixtures/seccomp/docker.json' with { type: 'json' }
import podman from '../../fixtures/seccomp/podman.json' with { type: 'json' }
import type { Bundle } from '../../support/bundle.ts'
import { useContainers } from '../../support/containers.ts'
import { requires } from '../../support/requires.ts'
import { invoke } from '../../support/runtime.ts'

requires('root', 'own-runtime')
const t = useContainers()

/** SECCOMP_RET_ALLOW: what a filter that was exchanged might be. */
const allowAll = new Uint8Array([6, 0, 0, 0, 0, 0, 0xff, 0x7f])
const small: Seccomp = { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['chroot'], action: 'SCMP_ACT_ERRNO' }] }

const entries = (root = t.root) =>
  readdirSync(root)
    .filter((name) => name.startsWith('.:seccomp-'))
    .sort()
const entryPath = () => {
  const [name = expect.unreachable(), ...more] = entries()
  expect(more).toEqual([])
  return join(t.root, name)
}
const inputIn = (entry: Uint8Array) => Buffer.from(entry.subarray(8, 8 + Buffer.from(entry).readUInt32LE(4))).toString()
const filterOf = (id: string, root = t.root) => readFileSync(join(root, id, 'seccomp.bpf'))
const bundleWith = (seccomp: object, more: object = {}) =>
  t.bundle({ args: ['sleep', '1000'], spec: ({ linux }) => Object.assign(linux, { seccomp }, more) })

/** The filter of another container of the bundle. */
async function filterOfNext(bundle: Bundle): Promise<Buffer> {
  return filterOf((await t.create(bundle)).id)
}

beforeEach(() => {
  for (const name of entries()) rmSync(join(t.root, name), { recursive: true })
})

describe('a profile that was compiled before', () => {
  it.each(Object.entries({ podman, docker, containerd }))(
    '%s: the entry has the bytes of a compilation, and is taken',
    async (_, profile) => {
      const bundle = await bundleWith(profile)
      const compiled = await filterOfNext(bundle)
      const before = lstatSync(entryPath())
      expect(before).toMatchObject({ uid: 0, mode: 0o100600, nlink: 1 })
      expect(await filterOfNext(bundle)).toEqual(compiled)
      expect(lstatSync(entryPath()).ino).toBe(before.ino)

      // What nobody could compile from the profile shows that the file is what is used.
      writeFileSync(entryPath(), cacheEntry(inputIn(readFileSync(entryPath())), allowAll) as Uint8Array)
      expect(await filterOfNext(bundle)).toEqual(Buffer.from(allowAll))
    },
  )

  it('is compiled for another profile, flag, errno or architecture', async () => {
    const changes = [
      {},
      { flags: [] },
      { defaultErrnoRet: 9 },
      { architectures: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_AARCH64'] },
    ]
    const errno = {
      ...small,
      defaultAction: 'SCMP_ACT_ERRNO',
      syscalls: [{ names: ['read'], action: 'SCMP_ACT_ALLOW' }],
    }
    const inputs = new Set<string>()
    for (const change of changes) {
      await t.create(await bundleWith({ ...errno, ...change }))
      for (const name of entries()) inputs.add(inputIn(readFileSync(join(t.root, name))))
    }
    expect(inputs.size).toBe(changes.length)
  })

  it('is refused all the same for what is not in the entry', async () => {
    await t.create(await bundleWith(small))
    const result = await t.runtime([
      'create',
      '--bundle',
      (await bundleWith({ ...small, listenerMetadata: 'x' })).path,
      t.id(),
    ])
    expect(result).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('linux.seccomp.listenerMetadata') })
  })

  it('stays when the last container is deleted, and is no container', async () => {
    const { id } = await t.create(await bundleWith(small))
    await t.ok(['delete', '--force', id])
    const name = entries()[0] ?? expect.unreachable()
    expect(readdirSync(t.root)).toEqual([name])
    expect(await t.ok(['list', '--quiet'])).toMatchObject({ stdout: '', stderr: '' })
    for (const verb of ['state', 'delete']) expect((await t.runtime([verb, name])).exitCode).toBe(1)
    expect(existsSync(join(t.root, name))).toBe(true)
    for (const other of ['runc', 'crun'])
      if (spawnSync(other, ['--version']).status === 0)
        expect(execFileSync(other, ['--root', t.root, 'list', '--quiet'], { encoding: 'utf8' })).toBe('')
  })

  it('is found by twenty containers that are created at once', async () => {
    const bundle = await bundleWith(podman)
    const filters = await Promise.all(Array.from({ length: 20 }, () => filterOfNext(bundle)))
    expect(new Set(filters.map((filter) => filter.toString('hex'))).size).toBe(1)
    expect(await filterOfNext(bundle)).toEqual(filters[0])
    expect(readdirSync(t.root).filter((name) => name.startsWith('.:'))).toEqual(entries())
  })
})

describe('an entry is not taken, but replaced, when', () => {
  const weak = (input: string) => cacheEntry(input, allowAll) as Uint8Array
  const cases: Readonly<Record<string, (path: string, input: string) => void>> = {
    'it is of another profile': (path, input) => writeFileSync(path, weak(input.replace('chroot', 'reboot'))),
    'it is of another build': (path, input) => writeFileSync(path, weak(input.replace(/\d/, 'x'))),
    'it is cut off': (path, input) => writeFileSync(path, weak(input).subarray(0, -1)),
    'it is empty': (path) => writeFileSync(path, ''),
    'it is damaged': (path, input) => writeFileSync(path, weak(input).fill(0, -8)),
    'it has more than an entry': (path, input) =>
      writeFileSync(path, Buffer.concat([weak(input), Buffer.alloc(1 << 20)])),
    "it is another user's": (path, input) => {
      writeFileSync(path, weak(input))
      chownSync(path, 65534, 65534)
    },
    'others may write to it': (path, input) => {
      writeFileSync(path, weak(input))
      chmodSync(path, 0o620)
    },
    'it is a symbolic link': (path, input) => {
      rmSync(path)
      writeFileSync(join(t.directory, 'elsewhere'), weak(input), { mode: 0o600 })
      symlinkSync(join(t.directory, 'elsewhere'), path)
    },
    'it is a fifo': (path) => {
      rmSync(path)
      execFileSync('mkfifo', [path])
    },
  }

  it.each(Object.entries(cases))('%s', async (_, exchange) => {
    const bundle = await bundleWith(small)
    const compiled = await filterOfNext(bundle)
    const path = entryPath()
    const good = readFileSync(path)
    exchange(path, inputIn(good))
    expect(await filterOfNext(bundle)).toEqual(compiled)
    expect(lstatSync(path)).toMatchObject({ uid: 0, mode: 0o100600 })
    expect(readFileSync(path)).toEqual(good)
    if (existsSync(join(t.directory, 'elsewhere')))
      expect(readFileSync(join(t.directory, 'elsewhere'))).not.toEqual(good)
  })
})

describe('create compiles, and succeeds, when', () => {
  it('a directory is in the place of the entry', async () => {
    const bundle = await bundleWith(small)
    const compiled = await filterOfNext(bundle)
    const path = entryPath()
    rmSync(path)
    mkdirSync(path)
    expect(await filterOfNext(bundle)).toEqual(compiled)
    expect(readdirSync(t.root).filter((name) => name.startsWith('.:'))).toEqual(entries())
    expect(await t.ok(['list', '--quiet'])).toMatchObject({ stderr: '' })
  })

  it.each([0o777, 0o1777, 0o770])('others may write to the root: mode %i', async (mode) => {
    const root = t.hostDirectory('root-')
    chmodSync(root, mode)
    const bundle = await bundleWith(small)
    const [id, log] = [t.id(), join(t.directory, `log-${mode}`)]
    t.defer(async () => void (await invoke(['--root', root, 'delete', '--force', id])))
    const result = await invoke(['--root', root, '--log', log, '--debug', 'create', '--bundle', bundle.path, id])
    expect(result).toMatchObject({ exitCode: 0 })
    expect(filterOf(id, root)).toEqual(await filterOfNext(bundle))
    expect(entries(root)).toEqual([])
    expect(readFileSync(log, 'utf8').match(/to which others may write/g)).toHaveLength(1)
  })

  it('the root has no room for an entry', async () => {
    const root = t.hostDirectory('root-')
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k,mode=755', 'tmpfs', root])
    t.defer(() => void execFileSync('umount', ['--lazy', root]))
    // What a container needs is 20 kB, and twice its filter and more an entry.
    writeFileSync(join(root, 'filler'), Buffer.alloc(16 << 10))
    const bundle = await bundleWith(podman)
    const id = t.id()
    t.defer(async () => void (await invoke(['--root', root, 'delete', '--force', id])))
    expect(await invoke(['--root', root, 'create', '--bundle', bundle.path, id])).toMatchObject({
      exitCode: 0,
      stderr: '',
    })
    expect(filterOf(id, root)).toEqual(await filterOfNext(bundle))
    expect(readdirSync(root).sort()).toEqual(['filler', id].sort())
  })

  it('there are few inodes', async () => {
    const root = t.hostDirectory('root-')
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'nr_inodes=20,mode=755', 'tmpfs', root])
    t.defer(() => void execFileSync('umount', ['--lazy', root]))
    const bundle = await bundleWith(small)
    const id = t.id()
    t.defer(async () => void (await invoke(['--root', root, 'delete', '--force', id])))
    expect(await invoke(['--root', root, 'create', '--bundle', bundle.path, id])).toMatchObject({ exitCode: 0 })
    expect(filterOf(id, root)).toEqual(await filterOfNext(bundle))
  })
})

it('an entry that a killed create has not written to its end is swept by delete --force', async () => {
  const { id } = await t.create(await bundleWith(small))
  // Beyond the greatest pid.
  writeFileSync(join(t.root, '.:4194305-1'), 'a part')
  await t.ok(['delete', '--force', id])
  expect(readdirSync(t.root)).toEqual(entries())
})

it('a container without a profile, and one whose profile is ignored, leave no entry', async () => {
  await t.create()
  const bundle = await bundleWith(small)
  await t.ok(['--seccomp=false', 'create', '--bundle', bundle.path, t.id()])
  expect(entries()).toEqual([])
})
