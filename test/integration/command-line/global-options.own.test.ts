/** Options and commands of other runtimes that callers try, and what is said of them. */
import { dirname } from 'node:path'
import { execa } from 'execa'
import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { requires } from '../../support/requires.ts'
import { invoke, messageOf, runtimePath } from '../../support/runtime.ts'

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

describe('completion in zsh', () => {
  requires('zsh')
  /** zsh's own completion system stands around the function: here it shows what it is given. */
  const script = `compdef() { :; }; compset() { :; }; _files() { print FILES; }
    compadd() { while [[ $1 != -- ]]; do shift; done; shift; (( ! $# )) || print -rl -- "$@"; }
    source <("$0" completion zsh); words=("$0" "$@"); CURRENT=$#words; _crio_lxc`
  it.each([
    [['upd'], 'update\n'],
    [['kill', '--'], '--all\n--help\n'],
    [['list', '--format=j'], '--format=json\n'],
    [['list', '--filter', ''], 'status=\nid=\nannotation=\n'],
    [['run', '--bundle', ''], 'FILES\n'],
  ])('%j', async (words, offered) => {
    const { stdout } = await execa('zsh', ['-fc', script, runtimePath, ...words], { timeout: 10_000 })
    expect(`${stdout}\n`).toBe(offered)
  })
})

describe('completion in fish', () => {
  requires('fish')
  it.each([
    ['upd', 'update\n'],
    ['kill --a', '--all\n'],
    ['list --format=j', '--format=json\n'],
    ['completion ', 'bash\nfish\nzsh\n'],
  ])('%j', async (words, offered) => {
    const script = `crio-lxc completion fish | source; complete -C 'crio-lxc ${words}'`
    const env = { PATH: `${dirname(runtimePath)}:${process.env.PATH}`, HOME: t.hostDirectory() }
    const { stdout } = await execa('fish', ['--no-config', '-c', script], { env, timeout: 10_000 })
    expect(`${stdout}\n`).toBe(offered)
  })
})

describe('completion elsewhere', () => {
  it.each(['tcsh', 'powershell', ''])('is refused by the name of the shell: %j', async (shell) => {
    const result = await invoke(['completion', shell])
    expect(result).toMatchObject({ exitCode: 1, stdout: '' })
    expect(messageOf(result)).toContain(`${JSON.stringify(shell)} is not supported: want one of bash, zsh, fish`)
  })
})

describe('a verb by the name that other tools give it', () => {
  it.each([
    ['rm', 'did you mean delete?'],
    ['stop', 'did you mean kill?'],
    ['stat', 'did you mean state, or events --stats?'],
    ['log', 'did you mean logs?'],
    ['attach', 'did you mean exec?'],
    ['ls', 'did you mean list?'],
    ['unpause', 'did you mean resume?'],
    ['version', 'did you mean --version?'],
  ])('%s', async (name, hint) => {
    const result = await invoke([name, 'web'])
    expect(result.exitCode).toBe(1)
    expect(messageOf(result)).toContain(`unknown command "${name}": `)
    expect(messageOf(result)).toContain(hint)
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
