import { RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import { describe, expect, test } from 'vitest'
import { findCommand, parseCommand, parseGlobal } from '../../../packages/runtime-cli/src/cli.ts'
import { defineCommand } from '../../../packages/runtime-cli/src/command-line/command.ts'
import { bundleOptions } from '../../../packages/runtime-cli/src/commands/bundle-options.ts'
import deleteCommand from '../../../packages/runtime-cli/src/commands/delete.ts'
import execCommand from '../../../packages/runtime-cli/src/commands/exec.ts'
import killCommand from '../../../packages/runtime-cli/src/commands/kill.ts'
import listCommand from '../../../packages/runtime-cli/src/commands/list.ts'
import startCommand from '../../../packages/runtime-cli/src/commands/start.ts'
import stateCommand from '../../../packages/runtime-cli/src/commands/state.ts'

// create.ts and run.ts name their options by bundleOptions; run's own are repeated nowhere else.
const createCommand = defineCommand({ ...stateCommand, command: 'create <container-id>', options: bundleOptions })

const byName = {
  create: createCommand,
  start: startCommand,
  state: stateCommand,
  kill: killCommand,
  delete: deleteCommand,
  exec: execCommand,
  list: listCommand,
}

/** The whole command line as main.ts takes it apart. */
function parse(line: string | readonly string[]) {
  const argv = typeof line === 'string' ? line.split(' ') : line
  const { values: global, rest } = parseGlobal(argv)
  const [name = '', ...args] = rest
  const command = byName[name as keyof typeof byName]
  if (command === undefined) throw new Error(`no such command in this test: ${name}`)
  const { values, positionals } = parseCommand(command, args)
  return { global, name, values, positionals }
}

function failure(run: () => unknown): string {
  try {
    run()
  } catch (error) {
    if (error instanceof RuntimeError) return error.message
    throw error
  }
  return 'no failure'
}

describe('the command lines of callers', () => {
  const rows: {
    caller: string
    line: string
    global?: object
    values?: object
    positionals: string[]
  }[] = [
    {
      caller: 'conmon create for CRI-O',
      line: '--systemd-cgroup --root=/run/r create --bundle /b --pid-file /b/pidfile --no-pivot --no-new-keyring --console-socket /tmp/conmon-term.AB12CD c1',
      global: { 'systemd-cgroup': true, root: '/run/r' },
      values: {
        bundle: '/b',
        'pid-file': '/b/pidfile',
        'no-pivot': true,
        'no-new-keyring': true,
        'console-socket': '/tmp/conmon-term.AB12CD',
      },
      positionals: ['c1'],
    },
    {
      caller: 'conmon create for podman',
      line: '--log-format=json --log /b/oci-log create --bundle /b --pid-file /b/pidfile --no-new-keyring --preserve-fds 2 c1',
      global: { 'log-format': 'json', log: '/b/oci-log' },
      values: { bundle: '/b', 'pid-file': '/b/pidfile', 'no-new-keyring': true, 'preserve-fds': 2 },
      positionals: ['c1'],
    },
    {
      caller: 'conmon exec for CRI-O',
      line: '--root=/run/r exec --pid-file /f --process /p --detach --console-socket /s c1',
      global: { root: '/run/r' },
      values: { 'pid-file': '/f', process: '/p', detach: true, 'console-socket': '/s' },
      positionals: ['c1'],
    },
    {
      caller: 'CRI-O exec',
      line: '--root /run/r --systemd-cgroup exec --process /p c1',
      global: { root: '/run/r', 'systemd-cgroup': true },
      values: { process: '/p' },
      positionals: ['c1'],
    },
    { caller: 'CRI-O start', line: '--root /run/r start c1', global: { root: '/run/r' }, positionals: ['c1'] },
    { caller: 'CRI-O state', line: '--root /run/r state c1', global: { root: '/run/r' }, positionals: ['c1'] },
    {
      caller: 'CRI-O kill',
      line: '--root /run/r kill c1 SIGRTMIN+3',
      global: { root: '/run/r' },
      positionals: ['c1', 'SIGRTMIN+3'],
    },
    { caller: 'CRI-O kill of all', line: 'kill -a c1 9', values: { all: true }, positionals: ['c1', '9'] },
    { caller: 'CRI-O delete', line: 'delete --force c1', values: { force: true }, positionals: ['c1'] },
    {
      caller: 'containerd create',
      line: '--root /run/containerd/runc/k8s.io --log /b/log.json --log-format json --rootless=false --debug create --bundle /b --pid-file /b/init.pid c1',
      global: {
        root: '/run/containerd/runc/k8s.io',
        log: '/b/log.json',
        'log-format': 'json',
        rootless: 'false',
        debug: true,
      },
      values: { bundle: '/b', 'pid-file': '/b/init.pid' },
      positionals: ['c1'],
    },
    {
      caller: 'podman without cgroups',
      line: '--cgroup-manager disabled create --bundle /b --pid-file /b/pidfile c1',
      global: { 'cgroup-manager': 'disabled' },
      values: { bundle: '/b', 'pid-file': '/b/pidfile' },
      positionals: ['c1'],
    },
    {
      caller: 'containerd exec',
      line: 'exec --process /p --console-socket /s --detach --pid-file /b/e.pid c1',
      values: { process: '/p', 'console-socket': '/s', detach: true, 'pid-file': '/b/e.pid' },
      positionals: ['c1'],
    },
    { caller: 'containerd kill', line: 'kill --all c1 15', values: { all: true }, positionals: ['c1', '15'] },
    { caller: 'containerd list', line: 'list --format=json', values: { format: 'json' }, positionals: [] },
    { caller: 'podman kill', line: 'kill c1 15', values: {}, positionals: ['c1', '15'] },
  ]
  test.each(rows)('$caller', ({ line, global = {}, values = {}, positionals }) => {
    const parsed = parse(line)
    expect(parsed.global).toEqual(global)
    expect(parsed.values).toEqual(values)
    expect(parsed.positionals).toEqual(positionals)
  })
})

describe("runc's way of reading options", () => {
  test.each<[string, string | string[], object, string[]]>([
    ['options after the id', 'kill c1 9 --all', { all: true }, ['c1', '9']],
    ['an option between id and signal', 'kill c1 -a 9', { all: true }, ['c1', '9']],
    ['one dash for a long name', 'create -bundle /b -pid-file=/p c1', { bundle: '/b', 'pid-file': '/p' }, ['c1']],
    ['= after a short name', 'create -b=/b c1', { bundle: '/b' }, ['c1']],
    ['-- ends options', 'delete -- --force', {}, ['--force']],
    ['a value that looks like an option', ['create', '--bundle', '--force', 'c1'], { bundle: '--force' }, ['c1']],
    ['an empty value', ['create', '--bundle=', 'c1'], { bundle: '' }, ['c1']],
    ['a value with = and newline', ['create', '--bundle=/a=b\nc', 'c1'], { bundle: '/a=b\nc' }, ['c1']],
    ['quotes stay', ['create', '--bundle="/b"', 'c1'], { bundle: '"/b"' }, ['c1']],
    ['the last value wins', 'create -b /a --bundle /b c1', { bundle: '/b' }, ['c1']],
    ['an id "true" is no value of a flag', 'delete --force true', { force: true }, ['true']],
    ['an id "false" is no value of a flag', 'delete -f false', { force: true }, ['false']],
    ['a boolean with a value', 'delete --force=0 c1', { force: false }, ['c1']],
    ['a boolean with T', 'delete -f=T c1', { force: true }, ['c1']],
    ['a value that looks like a boolean option', 'create --bundle --help=1 c1', { bundle: '--help=1' }, ['c1']],
    ['an id made of digits', 'state 007', {}, ['007']],
    ['an id like a float', 'state 1e3', {}, ['1e3']],
    ['an id with dots', 'state a.b.c', {}, ['a.b.c']],
    ['an empty id', ['state', ''], {}, ['']],
    ['exec keeps the command whole', 'exec c1 ls -la --tty=1 -- x', {}, ['c1', 'ls', '-la', '--tty=1', '--', 'x']],
    ['exec: -- before the id', 'exec -- c1 ls', {}, ['c1', 'ls']],
    [
      'exec with repeated options',
      'exec -t -e A=1 --env B=2=3 -e=C= -g 5 --additional-gids 6 -c CAP_KILL c1 sh',
      { tty: true, env: ['A=1', 'B=2=3', 'C='], 'additional-gids': ['5', '6'], cap: ['CAP_KILL'] },
      ['c1', 'sh'],
    ],
  ])('%s', (_, line, values, positionals) => {
    const parsed = parse(line)
    expect(parsed.values).toEqual(values)
    expect(parsed.positionals).toEqual(positionals)
  })

  test('nothing of the command is a global option', () => {
    expect(parse('--debug kill --all c1').global).toEqual({ debug: true })
  })
})

describe('errors name what is at fault', () => {
  test.each([
    ['--bogus state c1', 'flag provided but not defined: --bogus: see crio-lxc --help'],
    ['state --bogus c1', 'flag provided but not defined: --bogus: see crio-lxc state --help'],
    ['state --bogus=1 c1', 'flag provided but not defined: --bogus: see crio-lxc state --help'],
    ['state --__proto__ c1', 'flag provided but not defined: --__proto__: see crio-lxc state --help'],
    ['--rooot /r list', 'flag provided but not defined: --rooot: did you mean --root?'],
    ['delete --frce c1', 'flag provided but not defined: --frce: did you mean --force?'],
    ['create --pid c1', 'flag provided but not defined: --pid: did you mean --pid-file?'],
    ['exec --detached c1', 'flag provided but not defined: --detached: did you mean --detach?'],
    ['list --debug', 'flag provided but not defined: --debug: it goes before list'],
    ['--cmd-init /i list', 'flag provided but not defined: --cmd-init: did you mean --init-cmd?'],
    [
      'create --timeout 5s c1',
      'flag provided but not defined: --timeout: did you mean --create-timeout, before create?',
    ],
    [
      'create --hook-timeout 5s c1',
      'flag provided but not defined: --hook-timeout: did you mean --create-hook-timeout, before create?',
    ],
    ['kill -x c1', 'flag provided but not defined: -x: see crio-lxc kill --help'],
    ['kill c1 -9', 'flag provided but not defined: -9: the signal goes behind the id: kill ID 9'],
    ['kill -KILL c1', 'flag provided but not defined: -KILL: the signal goes behind the id: kill ID KILL'],
    ['kill -s TERM c1', 'flag provided but not defined: -s: the signal goes behind the id: kill ID TERM'],
    ['kill --signal=HUP c1', 'flag provided but not defined: --signal: the signal goes behind the id: kill ID HUP'],
    ['kill c1 --signal', 'flag provided but not defined: --signal: the signal goes behind the id: kill ID TERM'],
    ['kill -65 c1', 'flag provided but not defined: -65: see crio-lxc kill --help'],
    ['state -9 c1', 'flag provided but not defined: -9: see crio-lxc state --help'],
    ['delete --Force c1', 'flag provided but not defined: --Force: did you mean --force?'],
    ['exec -it c1 sh', 'flag provided but not defined: -it: letters do not combine: give -t'],
    ['exec -dt c1 sh', 'flag provided but not defined: -dt: letters do not combine: give -d -t'],
    ['state -bogus c1', 'flag provided but not defined: -bogus: see crio-lxc state --help'],
    ['exec -volume /a:/b c1 sh', 'flag provided but not defined: -volume: see crio-lxc exec --help'],
    ['state --root /r c1', 'flag provided but not defined: --root: it goes before state'],
    ['create --no-pivot --bundle', 'flag needs an argument: --bundle'],
    ['state', '"state" requires exactly 1 argument(s), got 0: <container-id>'],
    ['state a b', '"state" requires exactly 1 argument(s), got 2: <container-id>'],
    ['kill', '"kill" requires a minimum of 1 argument(s), got 0: <container-id> [signal]'],
    ['kill a b c', '"kill" requires a maximum of 2 argument(s), got 3: <container-id> [signal]'],
    ['list a', '"list" requires exactly 0 argument(s), got 1'],
    ['list --format xml', 'invalid --format "xml": want one of table, json'],
    ['kill --all=maybe c1', 'invalid boolean value "maybe" for --all: want true or false'],
    ['create --preserve-fds -1 c1', 'invalid --preserve-fds "-1": want a non-negative integer'],
    ['create --preserve-fds 1x c1', 'invalid --preserve-fds "1x": want a non-negative integer'],
  ])('%s', (line, message) => {
    expect(failure(() => parse(line))).toBe(message)
  })

  test.each(['checkpoint', 'restore'])('%s', (name) => {
    expect(failure(() => findCommand(name))).toContain(`${name} is not supported: `)
  })

  test.each(['foo', '', 'toString', '__proto__'])('command %j', (name) => {
    expect(failure(() => findCommand(name))).toBe(`unknown command ${JSON.stringify(name)}: crio-lxc --help lists all`)
  })

  test.each([
    ['kil', 'kill'],
    ['craete', 'create'],
    ['strat', 'start'],
    ['LIST', 'list'],
    ['State', 'state'],
    ['feat', 'features'],
  ])('that is almost a command (%s) is taken for it (%s) in the error', (name, meant) => {
    expect(failure(() => findCommand(name))).toBe(`unknown command "${name}": did you mean ${meant}?`)
  })

  test.each(['cp', 'build', 'listen-to-me'])('that is like none (%s) is not taken for one', (name) => {
    expect(failure(() => findCommand(name))).toContain('crio-lxc --help lists all')
  })
})
