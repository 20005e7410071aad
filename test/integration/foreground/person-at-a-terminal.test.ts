/** run and exec as a person types them: what the terminal shows, takes and is left like. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Bundle } from '../../support/bundle.ts'
import { useContainers } from '../../support/containers.ts'
import { isAlive } from '../../support/proc.ts'
import { requires } from '../../support/requires.ts'
import { runtimePath } from '../../support/runtime.ts'
import { onTerminal, type TerminalSession } from '../../support/terminal-session.ts'
import { waitFor } from '../../support/wait-for.ts'

requires('root')
const t = useContainers()
const env = { PATH: process.env.PATH ?? '', TERM: 'xterm' }

/** `exec -t` of a shell script, or `run` of it as process 1. */
async function commandLine(verb: 'run' | 'exec', script: string): Promise<{ command: string[]; id: string }> {
  const args = ['sh', '-c', script]
  if (verb === 'exec') {
    const { id } = await t.running()
    return { command: [runtimePath, '--root', t.root, 'exec', '-t', id, ...args], id }
  }
  const bundle: Bundle = await t.bundle({ args, process: { terminal: true } })
  const id = t.id()
  return { command: [runtimePath, '--root', t.root, 'run', '--bundle', bundle.path, id], id }
}

async function start(verb: 'run' | 'exec', script: string): Promise<TerminalSession> {
  return onTerminal((await commandLine(verb, script)).command, { env })
}

/** The command in a shell of the caller's, which then shows the modes of its terminal; `$!` is in the pid file. */
async function inShell(
  verb: 'run' | 'exec',
  script: string,
): Promise<{ session: TerminalSession; pid: () => Promise<number>; id: string }> {
  const { command, id } = await commandLine(verb, script)
  const pidFile = join(t.hostDirectory(), 'pid')
  const shell = `sh -c 'echo $$ >${pidFile}; exec "$@"' sh "$@"; echo "code=$?"; stty -a`
  const session = onTerminal(['sh', '-c', shell, 'sh', ...command], { env })
  const pid = async (): Promise<number> =>
    Number(await waitFor(() => (existsSync(pidFile) ? readFileSync(pidFile, 'utf8').trim() : undefined)))
  return { session, pid, id }
}

/** What `stty -a` says of a terminal on which a person can type lines and see them. */
async function expectSane(session: TerminalSession): Promise<string> {
  const screen = await session.shows(/; .*iexten.* echo[^;]*\r\n/s)
  for (const mode of ['icanon', 'isig', 'icrnl', 'opost', 'echo', 'iexten', 'ixon'])
    expect(screen).toMatch(new RegExp(`[\\s;]${mode}[\\s;]`))
  return screen
}

/** Process 1 cannot kill itself. */
const killed = (verb: string): [string, string, number][] => (verb === 'exec' ? [['is killed', 'kill -9 $$', 137]] : [])

describe.each(['run', 'exec'] as const)('%s', (verb) => {
  it('passes what is typed, byte by byte, and echoes once', async () => {
    const session = await start(verb, 'echo ready; read word; echo "got <$word>"; exit 5')
    await session.shows('ready')
    session.type('häl lo\r')
    const screen = await session.shows('got <häl lo>\r\n')
    expect(screen.match(/häl lo/g)).toHaveLength(2)
    expect(await session.exitCode).toBe(5)
  })

  it('control-C and control-\\ are for the process', async () => {
    const traps = 'trap "echo INT" INT; trap "echo QUIT; exit 4" QUIT'
    const session = await start(verb, `${traps}; echo ready; while :; do sleep 0.05; done`)
    await session.shows('ready')
    session.type('\x03')
    await session.shows('INT')
    session.type('\x1c')
    await session.shows('QUIT')
    expect(await session.exitCode).toBe(4)
  })

  it('control-D ends what the process reads', async () => {
    const session = await start(verb, 'echo ready; cat; echo end')
    await session.shows('ready')
    session.type('line\r\x04')
    await session.shows('line\r\nline\r\nend')
    expect(await session.exitCode).toBe(0)
  })

  it('a terminal that grows makes that of the process grow', async () => {
    const session = await start(verb, 'trap "stty size" WINCH; trap exit HUP; stty size; while :; do sleep 0.05; done')
    await session.shows('24 80')
    session.grow()
    await session.shows('48 160')
    session.grow()
    await session.shows('96 320')
    session.hangUp()
    await session.exitCode
  })

  it('every line of a long output arrives', async () => {
    const session = await start(verb, 'i=0; while [ $i -lt 20000 ]; do echo "line $i"; i=$((i+1)); done; echo the end')
    await session.exitCode
    const lines = session.screen().split('\r\n')
    expect(lines.filter((line) => line.startsWith('line '))).toHaveLength(20_000)
    expect(lines).toContain('the end')
  })

  it.each([['returns 0', 'true', 0], ['returns 7', 'stty raw -echo; exit 7', 7], ...killed(verb)])(
    'leaves the terminal as it was when the process %s',
    async (_, script, code) => {
      const { session } = await inShell(verb, script)
      expect(await expectSane(session)).toContain(`code=${code}\r\n`)
    },
  )

  it.each(['TERM', 'HUP', 'QUIT', 'USR1', '40'])(
    'signal %s to the runtime is for the process, and the terminal is as it was',
    async (signal) => {
      const { session, pid } = await inShell(
        verb,
        `trap "echo got ${signal}; exit 9" ${signal}; echo ready; while :; do sleep 0.05; done`,
      )
      await session.shows('ready')
      process.kill(await pid(), Number(signal) || `SIG${signal}`)
      await session.shows(`got ${signal}`)
      expect(await expectSane(session)).toContain('code=9\r\n')
    },
  )

  it('leaves the terminal as it was when the container is killed', async () => {
    const { session, id } = await inShell(verb, 'echo ready; sleep 1000')
    await session.shows('ready')
    await t.ok(['kill', id, 'KILL'])
    expect(await expectSane(session)).toContain('code=137\r\n')
  })

  it('leaves the terminal as it was when the pid file cannot be written', async () => {
    const { command } = await commandLine(verb, 'sleep 1000')
    const flags = ['--pid-file', '/no/such/directory/pid']
    const failing = [...command.slice(0, 4), ...flags, ...command.slice(4)]
    const session = onTerminal(['sh', '-c', '"$@"; echo "code=$?"; stty -a', 'sh', ...failing], { env })
    const screen = await expectSane(session)
    expect(screen).toContain(`code=${verb === 'run' ? 1 : 255}\r\n`)
    expect(screen).toMatch(/\/no\/such\/directory\/.*no such file or directory/s)
  })

  it('leaves the terminal as it was when the program is missing', async () => {
    const { command } = await commandLine(verb, 'true')
    const bundle = await t.bundle({ args: ['no-such-program'], process: { terminal: true } })
    const failing =
      verb === 'run'
        ? [...command.slice(0, -2), bundle.path, t.id()]
        : [...command.slice(0, command.indexOf('sh')), 'no-such-program']
    const session = onTerminal(['sh', '-c', '"$@"; echo "code=$?"; stty -a', 'sh', ...failing], { env })
    const screen = await expectSane(session)
    expect(screen).toContain(`code=${verb === 'run' ? 1 : 255}\r\n`)
    expect(screen).toContain('executable file not found in $PATH')
  })

  it("what the process pushes into its terminal (TIOCSTI) is not typed into the caller's shell", async () => {
    const { command } = await commandLine(verb, '/probe --push "echo pwned"')
    const shell = '"$@"; stty -icanon min 0 time 5; echo "left=<$(dd bs=100 count=1 2>/dev/null)>"'
    const session = onTerminal(['sh', '-c', shell, 'sh', ...command], { env })
    const screen = await session.shows(/left=<.*>/s)
    expect(screen).toMatch(/pushed|refused: /)
    expect(screen).toContain('left=<>')
  })

  it('a window that is closed ends the process', async () => {
    const { session, pid } = await inShell(verb, 'trap exit HUP; echo ready; while :; do sleep 0.05; done')
    await session.shows('ready')
    const runtime = await pid()
    session.hangUp()
    await waitFor(() => !isAlive(runtime))
  })
})
