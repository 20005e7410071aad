/** The same plans on the machine's own architecture and, emulated, on arm64. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { constants } from 'node:os'
import { join } from 'node:path'
import { type Call, callNumber, x64Numbers } from '@crio-lxc/core/abi/arch'
import { AT_FDCWD, O_CREAT, O_RDONLY, O_WRONLY, SIGCHLD } from '@crio-lxc/core/abi/constants'
import { Label, Plan, planTag, REPORT, type Slot } from '@crio-lxc/core/plan/plan'
import { afterAll, describe, expect, test } from 'vitest'
import { buildExecutor, parseFailure, runPlan, runPlanFile, targets } from './executor.ts'

const directory = mkdtempSync('/var/tmp/crio-lxc-executor-')
afterAll(() => rmSync(directory, { recursive: true, force: true }))

const { ENOENT, ENOTDIR, ELOOP, EPIPE, EPERM } = constants.errno
const STDIN = 0
const STDOUT = 1

describe.each(targets)('the executor on $name', (target) => {
  const { arch } = target
  const own = join(directory, target.name)
  mkdirSync(own)
  const executable = buildExecutor(target, own)
  const newPlan = () => new Plan(planTag.container, arch)
  const run = (plan: Plan) => runPlan(target, executable, plan)

  function say(plan: Plan, text: string): void {
    const bytes = plan.string(text)
    plan.step(`say ${text}`, 'write', [STDOUT, bytes, bytes.length])
  }

  test('runs steps in their order and ends with status 0', () => {
    const plan = newPlan()
    for (const text of ['one ', 'two ', 'thrëe']) say(plan, text)
    expect(run(plan)).toEqual({ status: 0, stdout: 'one two thrëe', failure: undefined })
  })

  test('passes the result of a step to later ones', () => {
    const path = join(own, 'written')
    const plan = newPlan()
    const fd = plan.slot('fd')
    const text = plan.string('by a plan')
    plan.step('make a file', 'openat', [AT_FDCWD, plan.string(path), O_CREAT | O_WRONLY, 0o640], { result: fd })
    plan.step('write', 'write', [fd, text, text.length])
    plan.step('close', 'close', [fd])
    plan.step('write once more', 'write', [fd, text, text.length], { ignore: ['EBADF'] })
    expect(run(plan).status).toBe(0)
    expect(readFileSync(path, 'utf8')).toBe('by a plan')
  })

  test('carries data of any size', () => {
    const bytes = new Uint8Array(60_000).fill(0x61)
    const plan = newPlan()
    const blob = plan.blob(bytes, () => 'many')
    plan.step('write', 'write', [STDOUT, blob, blob.length])
    expect(run(plan).stdout).toBe('a'.repeat(60_000))
  })

  test.each([
    { path: '/nowhere', taken: 'fallback ' },
    { path: '/', taken: '' },
  ])('takes the fallback for $path: "$taken"', ({ path, taken }) => {
    const plan = newPlan()
    const done = new Label()
    plan.step('open', 'openat', [AT_FDCWD, plan.string(path), O_RDONLY, 0], { ignore: ['ENOENT'], onOk: done })
    say(plan, 'fallback ')
    plan.place(done)
    say(plan, 'end')
    expect(run(plan)).toEqual({ status: 0, stdout: `${taken}end`, failure: undefined })
  })

  test.each([
    { path: '/nowhere', taken: '' },
    { path: '/', taken: 'it is there, ' },
  ])('skips what relies on $path: "$taken"', ({ path, taken }) => {
    const plan = newPlan()
    const done = new Label()
    plan.step('open', 'openat', [AT_FDCWD, plan.string(path), O_RDONLY, 0], { ignore: ['ENOENT'], onIgnored: done })
    say(plan, 'it is there, ')
    plan.place(done)
    say(plan, 'end')
    expect(run(plan).stdout).toBe(`${taken}end`)
  })

  test('reports tag, step and errno of the first failure, and runs nothing after it', () => {
    const plan = newPlan()
    say(plan, 'before')
    plan.step('open', 'openat', [AT_FDCWD, plan.string('/nowhere'), O_RDONLY, 0], { ignore: ['EACCES', 'EEXIST'] })
    say(plan, 'after')
    expect(run(plan)).toEqual({
      status: 1,
      stdout: 'before',
      failure: { tag: planTag.container, step: 1, errno: ENOENT },
    })
  })

  test('leaves the result alone when an error is ignored', () => {
    const plan = newPlan()
    const fd = plan.slot('fd')
    plan.step('set', 'move', [STDOUT], { result: fd })
    plan.step('open', 'openat', [AT_FDCWD, plan.string('/nowhere'), O_RDONLY, 0], { ignore: ['ENOENT'], result: fd })
    const text = plan.string('still stdout')
    plan.step('write', 'write', [fd, text, text.length])
    expect(run(plan).stdout).toBe('still stdout')
  })

  test('fails with the errno that the plan gives', () => {
    const plan = newPlan()
    plan.step('refuse', 'fail', [EPERM])
    expect(run(plan).failure).toEqual({ tag: planTag.container, step: 0, errno: EPERM })
  })

  test('takes a status out of memory: the lower 32 bits, of which a negative number is an errno', () => {
    const plan = newPlan()
    const word = (low: number): Slot => {
      const bytes = plan.struct(
        8,
        () => 'status',
        (view, at) => {
          view.setInt32(at, low, true)
          view.setInt32(at + 4, -1, true)
        },
      )
      return plan.wordAt(bytes, 0)
    }
    plan.step('good', 'status', [word(0)])
    plan.step('good, too', 'status', [word(7)])
    plan.step('bad', 'status', [word(-EPERM)])
    expect(run(plan).failure).toEqual({ tag: planTag.container, step: 2, errno: EPERM })
  })

  test('takes the bits that two words have in common', () => {
    const plan = newPlan()
    const both = plan.slot('both')
    plan.step('all', 'move', [0xffff * 2 ** 32 + 0xff], { result: both })
    plan.step('some', 'and', [both, 0xf000 * 2 ** 32 + EPERM], { result: both })
    plan.step('fewer', 'and', [both, EPERM], { result: both })
    plan.step('refuse', 'fail', [both])
    expect(run(plan).failure).toEqual({ tag: planTag.container, step: 3, errno: EPERM })
  })

  test('takes end of file for a failure where a byte is promised, and only there', () => {
    const plan = newPlan()
    const byte = plan.struct(
      8,
      () => 'byte',
      () => {},
    )
    plan.step('read what may be nothing', 'read', [STDIN, byte, 1])
    plan.step('read a byte', 'read', [STDIN, byte, 1], { zeroIsFailure: true })
    expect(run(plan).failure).toEqual({ tag: planTag.container, step: 1, errno: EPIPE })
  })

  test('sends later failures to the fd that a step stores as the report', () => {
    const path = join(own, 'report')
    const plan = newPlan()
    plan.step('open', 'openat', [AT_FDCWD, plan.string(path), O_CREAT | O_WRONLY, 0o600], { result: REPORT })
    plan.step('refuse', 'fail', [EPERM])
    expect(run(plan)).toEqual({ status: 1, stdout: '', failure: undefined })
    expect(parseFailure(readFileSync(path))).toEqual({ tag: planTag.container, step: 1, errno: EPERM })
  })

  test('forks: the child goes on with the next step, the parent at the label', () => {
    const plan = newPlan()
    const parent = new Label()
    plan.step('fork', 'clone', [SIGCHLD, 0, 0, 0, 0], { onOk: parent, onOkIfNonZero: true })
    say(plan, 'child ')
    plan.step('end the child', 'exit_group', [0])
    plan.place(parent)
    say(plan, 'parent ')
    const { status, stdout } = run(plan)
    expect(status).toBe(0)
    expect(stdout.split(' ').sort()).toEqual(['', 'child', 'parent'])
  })

  test('executes a program with its arguments and environment', () => {
    const plan = newPlan()
    const argv = plan.strings(['busybox', 'sh', '-c', 'echo "$0 $1 $NAME"; exit 7', 'zero', 'one'])
    plan.step('execute', 'execve', [plan.string('/bin/busybox'), argv, plan.strings(['NAME=value'])])
    expect(run(plan)).toEqual({ status: 7, stdout: 'zero one value\n', failure: undefined })
  })

  test('reports a program that cannot be executed', () => {
    const plan = newPlan()
    plan.step('execute', 'execve', [plan.string('/nowhere'), plan.strings(['x']), plan.strings([])])
    expect(run(plan).failure).toEqual({ tag: planTag.container, step: 0, errno: ENOENT })
  })

  test('opens with flags that differ between the architectures', () => {
    symlinkSync('/', join(own, 'link'))
    const errnoOf = (path: string, flags: number) => {
      const plan = newPlan()
      plan.step('open', 'openat', [AT_FDCWD, plan.string(path), flags, 0])
      return run(plan).failure?.errno
    }
    expect(errnoOf('/bin/busybox', arch.O_DIRECTORY)).toBe(ENOTDIR)
    expect(errnoOf('/bin', arch.O_DIRECTORY)).toBe(undefined)
    expect(errnoOf(join(own, 'link'), arch.O_NOFOLLOW)).toBe(ELOOP)
    expect(errnoOf(join(own, 'link'), O_RDONLY)).toBe(undefined)
  })

  test('refuses a file that is no plan', () => {
    expect(runPlanFile(target, executable, new Uint8Array(200)).status).toBe(126)
  })

  test('uses the system call numbers and flags of the kernel headers', () => {
    const names = Object.keys(x64Numbers())
    const source = [
      '#define _GNU_SOURCE',
      '#include <asm/unistd.h>',
      '#include <fcntl.h>',
      'enum {',
      ...names.map((name) => `x_${name} = __NR_${name},`),
      'x_O_DIRECTORY = O_DIRECTORY, x_O_NOFOLLOW = O_NOFOLLOW };',
      ...[...names, 'O_DIRECTORY', 'O_NOFOLLOW'].map(
        (name) => `__asm__(".ascii \\"${name} %c0\\\\n\\"" :: "i"(x_${name}));`,
      ),
    ]
    const body = source.findIndex((line) => line.startsWith('__asm__'))
    const program = [...source.slice(0, body), 'void f(void) {', ...source.slice(body), '}'].join('\n')
    const assembly = execFileSync(target.compiler, ['-xc', '-S', '-o-', '-'], { input: program, encoding: 'utf8' })
    const found = Object.fromEntries(
      [...assembly.matchAll(/\.ascii "(\w+) (\d+)\\n"/g)].map(([, name, value]) => [name, Number(value)]),
    )
    expect(found).toEqual({
      ...Object.fromEntries(Object.keys(x64Numbers()).map((call) => [call, callNumber(arch, call as Call)])),
      O_DIRECTORY: arch.O_DIRECTORY,
      O_NOFOLLOW: arch.O_NOFOLLOW,
    })
  })
})
