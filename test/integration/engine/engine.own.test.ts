/** What the executables are made of: facts of elf(5), and what they do where an engine would stumble. */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { defaultSpec } from '@crio-lxc/core/oci/default-spec'
import { describe, expect, test } from 'vitest'
import { buildProgram } from '../../../scripts/engine.ts'

const dist = resolve(import.meta.dirname, '../../../dist')
const programs = ['bin/crio-lxc', 'libexec/crio-lxc/crio-lxc-hook'].map((path) => join(dist, path))
const [runtime = ''] = programs

describe.each(programs)('%s', (program) => {
  const elf = (...options: string[]): string =>
    execFileSync('readelf', ['-W', ...options, program], { encoding: 'utf8' })

  test('is static, and lies at a random address', () => {
    expect(elf('-h')).toMatch(/Type: +DYN /)
    expect(elf('-l')).not.toMatch(/INTERP/)
    expect(elf('-d')).not.toMatch(/NEEDED|TEXTREL/)
    expect(elf('-d')).toMatch(/FLAGS_1.*PIE/)
  })

  test('has read-only relocations, and nothing that is both writable and executable', () => {
    expect(elf('-l')).toMatch(/GNU_RELRO/)
    expect(elf('-d')).toMatch(/FLAGS.*BIND_NOW|FLAGS_1.*NOW/)
    expect(elf('-l')).toMatch(/GNU_STACK .* RW +0x/)
    expect(elf('-l')).not.toMatch(/ (RWE|WE) /)
  })

  test('is as large as docs/notes/quickjs.md says, within a tenth', () => {
    const notes = readFileSync(join(dist, '../docs/notes/quickjs.md'), 'utf8')
    const [, ofRuntime, ofHook] = /([\d.]+) MB for crio-lxc, .* ([\d.]+) MB for the hook runner/.exec(notes) ?? []
    const said = 1e6 * Number(program === runtime ? ofRuntime : ofHook)
    expect(Math.abs(statSync(program).size - said)).toBeLessThan(said / 10)
  })

  test('has canaries on its stack', () => {
    // Stripped: the canary is read from thread-local storage at fs:0x28.
    const code = execFileSync('objdump', ['-d', '--no-show-raw-insn', program], {
      encoding: 'utf8',
      maxBuffer: 1 << 30,
    })
    expect(code.match(/%fs:0x28/g)?.length ?? 0).toBeGreaterThan(100)
  }, 60_000)

  test('maps no memory that is writable and executable', () => {
    const { stderr } = spawnSync('strace', ['-f', '-e', 'trace=mmap,mprotect', program], { encoding: 'utf8' })
    expect(stderr).toContain('mmap(')
    expect(stderr).not.toMatch(/PROT_EXEC/)
  })
})

/** `sh -c` around the runtime, which is `$0`. */
function shell(script: string): { status: number | null; signal: string | null; output: string } {
  const { status, signal, stdout, stderr } = spawnSync('sh', ['-c', script, runtime], { encoding: 'utf8' })
  return { status, signal, output: stdout + stderr }
}

/** `debug plan --steps` of a bundle with this config.json. */
function planOf(config: string, before = ''): ReturnType<typeof shell> {
  const bundle = mkdtempSync(join(tmpdir(), 'engine-'))
  mkdirSync(join(bundle, 'rootfs'))
  writeFileSync(join(bundle, 'config.json'), config)
  try {
    return shell(`${before} exec "$0" debug plan --steps ${bundle}`)
  } finally {
    rmSync(bundle, { recursive: true })
  }
}

describe('a program fails whose module', () => {
  const runs = (module: string): { status: number | null; stdout: string; stderr: string } => {
    const directory = mkdtempSync(join(tmpdir(), 'program-'))
    writeFileSync(join(directory, 'never-ends.js'), module)
    writeFileSync(join(directory, 'later.js'), "await import('./never-ends.js')\n")
    const program = buildProgram(directory, 'never-ends.js')
    try {
      const { status, stdout, stderr } = spawnSync(program, { encoding: 'utf8' })
      return { status, stdout, stderr }
    } finally {
      rmSync(program)
      rmSync(directory, { recursive: true })
    }
  }
  const stderr = 'internal error: the program waits for what never comes\n'

  test('waits for a promise that nobody keeps', () => {
    expect(runs('await new Promise(() => {})\n')).toEqual({ status: 1, stdout: '', stderr })
  }, 60_000)

  test('waits for itself', () => {
    expect(runs("await import('./later.js')\n")).toEqual({ status: 1, stdout: '', stderr })
  }, 60_000)

  test('throws', () => {
    const thrown = { status: 1, stdout: '', stderr: 'internal error: Error: no\n' }
    expect(runs("throw new Error('no')\n")).toEqual(thrown)
  }, 60_000)
})

describe('the runtime says a sentence, or succeeds,', () => {
  test('with closed standard descriptors', () => {
    expect(shell('"$0" --version <&- >&- 2>&-')).toMatchObject({ status: 0, signal: null })
    expect(shell('"$0" state x <&- 2>&-')).toMatchObject({ status: 1, signal: null })
  })

  test('in a working directory that was removed', () => {
    const directory = mkdtempSync(join(tmpdir(), 'removed-'))
    const script = `cd ${directory} && rmdir ${directory} && exec "$0"`
    expect(shell(`${script} list`)).toMatchObject({ status: 0 })
    const again = mkdtempSync(join(tmpdir(), 'removed-'))
    rmdirSync(again)
    expect(shell(`mkdir ${again} && cd ${again} && rmdir ${again} && exec "$0" --root state state x`).output).toMatch(
      /the current directory does not exist/,
    )
  })

  test('without /proc', () => {
    const { status, output } = shell('exec unshare -m sh -c \'umount -l /proc && exec "$0" list\' "$0"')
    expect({ status, output }).toMatchObject({ status: 0 })
    const spec = shell('exec unshare -m sh -c \'umount -l /proc && exec "$0" spec --bundle /nowhere\' "$0"')
    expect(spec).toMatchObject({ status: 1, signal: null })
    expect(spec.output).toMatch(/^[^\n]+: no such file or directory: mount \/proc\n$/)
  })

  test.each([3, 4, 5, 6, 8])('with %s open files', (files) => {
    const { status, signal, output } = shell(`ulimit -n ${files}; exec "$0" state missing`)
    expect({ status, signal }).toEqual({ status: 1, signal: null })
    expect(output).toMatch(/^(container does not exist: missing|.*too many open files.*)\n$/)
  })

  test('with 64 MB of address space', () => {
    expect(shell('ulimit -v 65536; exec "$0" --version')).toMatchObject({ status: 0 })
    expect(shell('ulimit -v 65536; exec "$0" features')).toMatchObject({ status: 0 })
  })

  const withField = (text: string): string => JSON.stringify(defaultSpec).replace(/\}$/, `,"x":${text}}`)

  test.each([64, 128, 1024, 8192])('with %s kB of stack, however deep a document is', (kilobytes) => {
    const { status, output } = planOf(withField('['.repeat(1_000_000)), `ulimit -s ${kilobytes};`)
    expect({ status, lines: output.split('\n').length }).toEqual({ status: 1, lines: 2 })
    // How much of a small stack the engine's C takes depends on the compiler.
    expect(output).toMatch(
      kilobytes === 64
        ? /nested more than 64 levels deep|stack overflow: raise the limit of the stack \(ulimit -s\)$/m
        : /nested more than 64 levels deep/,
    )
  })

  test('about a document that takes more memory than the engine may use', () => {
    const objects = '{},'.repeat(5_000_000)
    expect(planOf(withField(`[${objects}{}]`), 'ulimit -v 400000;')).toMatchObject({
      status: 1,
      output: 'config.json: takes more memory than the runtime may use\n',
    })
  }, 120_000)

  test('with numbers of 64 bits', () => {
    const rlimits = [{ type: 'RLIMIT_CORE', soft: '@', hard: '@' }]
    const spec = { ...defaultSpec, process: { ...defaultSpec.process, rlimits } }
    for (const value of ['9223372036854775807', '9223372036854775808', '18446744073709551615']) {
      const { output } = planOf(JSON.stringify(spec).replaceAll('"@"', value))
      expect(output).toContain(`{soft=${value}, hard=${value}}`)
    }
  })

  test.each([200, 400, 800, 1200, 1600])('with %s kB of address space', (kilobytes) => {
    const { status, signal } = shell(`ulimit -v ${kilobytes}; exec "$0" --version`)
    // The kernel may not come as far as the program (SIGKILL, SIGSEGV of execve(2)); the program never aborts.
    expect(signal).not.toBe('SIGABRT')
    expect(status === null || [0, 1, 125, 126].includes(status)).toBe(true)
  })
})
