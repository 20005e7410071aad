/** An empty project outside of the repository that has installed the tarball of the library, and nothing else of ours. */
import { execFileSync, spawnSync } from 'node:child_process'
import { closeSync, copyFileSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { productNode, typescript } from './node.ts'

const repository = resolve(import.meta.dirname, '../..')

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export class LibraryProject {
  readonly directory: string
  readonly tarball: string

  /** Makes the tarball and installs it, as npm does for anybody: with koffi from its cache or its registry. */
  constructor(directory: string) {
    this.directory = join(directory, 'project')
    mkdirSync(this.directory)
    writeFileSync(join(this.directory, 'package.json'), '{ "type": "module", "private": true }\n')
    const pack = [...typescript, join(repository, 'scripts/library/pack.ts'), directory]
    this.tarball = execFileSync(process.execPath, pack, { cwd: repository, encoding: 'utf8' }).trim()
    const flags = ['--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts']
    execFileSync('npm', ['install', ...flags, this.tarball, '@types/node@20.19.43'], {
      cwd: this.directory,
      stdio: 'pipe',
    })
  }

  /** The installed package. */
  get installed(): string {
    return join(this.directory, 'node_modules/crio-lxc')
  }

  add(name: string, text: string): void {
    writeFileSync(join(this.directory, name), text)
  }

  addFixture(name: string): void {
    copyFileSync(join(repository, 'test/fixtures/library', name), join(this.directory, name))
  }

  /** What the compiler has to say; empty when that is nothing. The types of the package itself are checked too. */
  typeCheck(...names: readonly string[]): string {
    const flags = '--noEmit --strict --target es2023 --module nodenext --types node --skipLibCheck false'
    const { stdout } = spawnSync(join(repository, 'node_modules/.bin/tsc'), [...flags.split(' '), ...names], {
      cwd: this.directory,
      encoding: 'utf8',
    })
    return stdout
  }

  /** Runs a program by a Node that the package is for. */
  run(name: string, ...args: readonly string[]): Ended {
    return this.#spawn(productNode() ?? '', [name, ...args])
  }

  /** The same as pid 1, to which the kernel gives what is orphaned. */
  runAsInit(name: string, ...args: readonly string[]): Ended {
    return this.#spawn('unshare', ['--pid', '--fork', '--mount-proc', productNode() ?? '', name, ...args])
  }

  /** The outputs are files: a container that is left when a program fails would keep a pipe open. */
  #spawn(command: string, args: readonly string[]): Ended {
    const paths = ['stdout', 'stderr'].map((name) => join(this.directory, name))
    const [stdout = 1, stderr = 2] = paths.map((path) => openSync(path, 'w'))
    try {
      const { status } = spawnSync(command, args, {
        cwd: this.directory,
        stdio: ['ignore', stdout, stderr],
        timeout: 50_000,
        killSignal: 'SIGKILL',
      })
      const [out = '', err = ''] = paths.map((path) => readFileSync(path, 'utf8'))
      return { code: status, stdout: out, stderr: err }
    } finally {
      for (const fd of [stdout, stderr]) closeSync(fd)
    }
  }
}
