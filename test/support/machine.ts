/** A Debian of another release, with this machine's kernel: machine.sh. */
import { type ChildProcessWithoutNullStreams, execFileSync, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { copyFileSync, mkdtempSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'

const repository = resolve(import.meta.dirname, '../..')
const script = join(import.meta.dirname, 'machine.sh')
const cache = '/var/cache/crio-lxc-debian'

export interface MachineOptions {
  /** Packages of the release that are installed beside what debootstrap must install, with what they depend on. */
  readonly packages?: readonly string[]
  /** They are put into its /srv. */
  readonly files?: readonly string[]
  /** Absolute paths of directories of this machine that it has as well, at the same paths. */
  readonly directories?: readonly string[]
}

export interface Result {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

/** A program in the machine that runs beside others. */
export interface Running {
  /** Writes a line to its standard input. */
  say(line: string): void
  /** Waits for `text` on its standard output. */
  until(text: string): Promise<void>
  readonly result: Promise<Result>
}

export class Machine {
  readonly #keeper: ChildProcessWithoutNullStreams
  readonly #name: string
  readonly #pid: string

  private constructor(keeper: ChildProcessWithoutNullStreams, name: string, pid: string) {
    this.#keeper = keeper
    this.#name = name
    this.#pid = pid
  }

  /** Of a Debian of this release that is kept: the first of its kind takes minutes. */
  static async make(release: string, options: MachineOptions = {}): Promise<Machine> {
    const { packages = [], files = [], directories = [] } = options
    const tar = keptDebian(release, packages)
    const root = mkdtempSync('/var/tmp/crio-lxc-machine-')
    execFileSync('tar', ['-C', root, '-xf', tar])
    execFileSync('chmod', ['755', root])
    for (const name of ['resolv.conf', 'hosts']) copyFileSync(join('/etc', name), join(root, 'etc', name))
    for (const file of files) copyFileSync(file, join(root, 'srv', basename(file)))
    const name = basename(root)
    const keeper = spawn('sh', [script, 'keep', root, name, ...directories])
    keeper.stderr.pipe(process.stderr)
    const ended = once(keeper, 'close').then(([status]) => {
      throw new Error(`machine.sh ended with ${status}: no machine of Debian ${release}`)
    })
    const [pid] = await Promise.race([once(keeper.stdout, 'data'), ended])
    ended.catch(() => {}) // it is kept until it is told to end
    return new Machine(keeper, name, String(pid).trim())
  }

  /** Starts lines of sh. */
  start(lines: string): Running {
    const child = spawn('sh', [script, 'enter', this.#pid, this.#name, 'sh', '-c', lines])
    const output = { stdout: '', stderr: '' }
    child.stdout.on('data', (chunk) => {
      output.stdout += chunk
    })
    child.stderr.on('data', (chunk) => {
      output.stderr += chunk
    })
    const result = once(child, 'close').then(([status]) => ({ status: status as number | null, ...output }))
    return {
      result,
      say: (line) => {
        child.stdin.write(`${line}\n`)
      },
      until: (text) =>
        new Promise((resolve, reject) => {
          const check = () => output.stdout.includes(text) && resolve()
          child.stdout.on('data', check)
          result.then(({ stdout, stderr }) => reject(new Error(`it ended without ${text}: ${stdout}${stderr}`)))
          check()
        }),
    }
  }

  run(lines: string): Promise<Result> {
    const running = this.start(`exec </dev/null\n${lines}`)
    return running.result
  }

  /** What the lines print; they must end with 0. */
  async output(lines: string): Promise<string> {
    const { status, stdout, stderr } = await this.run(`set -e\n${lines}`)
    if (status !== 0) throw new Error(`${lines}\nended with ${status}\n${stdout}${stderr}`)
    return stdout
  }

  async end(): Promise<void> {
    this.#keeper.stdin.end()
    await once(this.#keeper, 'close')
  }
}

/** The tar archive of a Debian with these packages. */
function keptDebian(release: string, packages: readonly string[]): string {
  const digest = createHash('sha256').update(packages.join(' ')).digest('hex').slice(0, 12)
  const tar = join(cache, packages.length > 0 ? `${release}-${digest}.tar` : `${release}.tar`)
  execFileSync('sh', [join(repository, 'test/fresh/bare-debian.sh'), release, tar, ...packages])
  return tar
}
