/** Options and commands of other runtimes that callers try, and what is said of them. */
import { execa } from 'execa'
import { describe, expect, it } from 'vitest'
import { useContainers } from '../support/containers.ts'
import { requires } from '../support/requires.ts'
import { invoke, runtimePath } from '../support/runtime.ts'

requires('root', 'own-runtime')
const t = useContainers()

describe('checkpoint and restore', () => {
  it.each([
    ['checkpoint', '--help'],
    ['checkpoint', '-h'],
    ['help', 'checkpoint'],
    ['checkpoint', '--image-path', '/i', '--work-path', '/w', '--leave-running', '--file-locks', 'id'],
    ['restore', '--help'],
    ['restore', '--bundle', '/b', '--detach', '--image-path', '/i', '--work-path', '/w', 'id'],
  ])('%s %s fails with one sentence', async (...args) => {
    const result = await invoke(args)
    expect(result).toMatchObject({ exitCode: 1, stdout: '' })
    expect(result.stderr).toMatch(/^(checkpoint|restore) is not supported: [^\n]+\n$/)
  })
})

describe('completion in bash', () => {
  /** What bash would offer for the words, the last of which is before the cursor. */
  async function offered(...words: string[]): Promise<string[]> {
    const script = `source <("$0" completion) && COMP_WORDS=("$0" "$@") && COMP_CWORD=$# &&
      "$(complete -p crio-lxc | sed 's/.*-F \\([^ ]*\\).*/\\1/')" "$0" && printf '%s\\n' "\${COMPREPLY[@]}"`
    const { stdout } = await execa('bash', ['-c', script, runtimePath, ...words], { timeout: 10_000 })
    return stdout.split('\n').filter(Boolean)
  }

  it('offers commands, options and ids', async () => {
    const { id } = await t.running()
    expect(await offered('upd')).toEqual(['update'])
    expect(await offered('kill', '--')).toEqual(['--all', '--help'])
    expect(await offered('--root', t.root, 'state', id.slice(0, -1))).toContain(id)
  })

  it('offers nothing where the word is free', async () => {
    expect(await offered('create', 'new')).toEqual([])
  })
})

describe('options of crun and of older runc', () => {
  it('--cgroup-manager cgroupfs is the default', async () => {
    const bundle = await t.bundle({ args: ['echo', 'ran'] })
    const result = await t.runtime(['--cgroup-manager', 'cgroupfs', 'run', '--bundle', bundle.path, t.id()])
    expect(result).toMatchObject({ exitCode: 0, stdout: 'ran\n' })
  })

  it('--criu FILE is accepted', async () => {
    expect(await t.runtime(['--criu', '/usr/sbin/criu', 'list', '-q'])).toMatchObject({ exitCode: 0, stderr: '' })
  })

  it('update --kernel-memory is ignored with a warning', async () => {
    const { id } = await t.running()
    const result = await t.ok(['update', '--kernel-memory', '1000000', id])
    expect(result.stderr).toBe('warning: --kernel-memory is ignored: Linux has no such limit any more\n')
  })
})
