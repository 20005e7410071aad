/** What a seccomp profile says to every system call in a container: what test/fixtures/programs/verdicts.c prints. */
import { execFileSync } from 'node:child_process'
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import type { Bundle } from './bundle.ts'
import type { Containers } from './containers.ts'
import { program } from './programs.ts'

/** linux.seccomp, as callers hand it over. */
export interface Profile {
  readonly defaultAction: string
  readonly defaultErrnoRet?: number
  readonly architectures?: readonly string[]
  readonly flags?: readonly string[]
  readonly syscalls?: readonly {
    readonly names: readonly string[]
    readonly action: string
    readonly errnoRet?: number
    readonly args?: readonly Argument[] | null
  }[]
}

interface Argument {
  readonly index: number
  readonly value: number
  readonly valueTwo?: number
  readonly op: string
}

/** One line for each run of numbers alike, as the program prints them: `x86_64 160-161 1`. */
export async function verdicts(t: Containers, profile: Profile | undefined): Promise<string> {
  const { exitCode, stdout, stderr } = await t.run(await bundleOf(t, profile))
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
  return stdout
}

/** The same of a process that exec has started. */
export async function verdictsOfExec(t: Containers, profile: Profile): Promise<string> {
  const bundle = await bundleOf(t, profile)
  const [, ...vectors] = bundle.spec.process.args
  bundle.writeConfig({ ...bundle.spec, process: { ...bundle.spec.process, args: ['sleep', '1000'] } })
  const { id } = await t.running(bundle)
  return (await t.ok(['exec', id, '/verdicts', ...vectors])).stdout
}

/** The same under runc, whatever runtime is under test. */
export async function verdictsOfRunc(t: Containers, profile: Profile | undefined): Promise<string> {
  const bundle = await bundleOf(t, profile)
  const args = ['--root', join(t.directory, 'runc-root'), 'run', '--bundle', bundle.path, t.id()]
  return execFileSync('runc', args, { encoding: 'utf8' })
}

/**
 * A line for each number, but for map_shadow_stack of x32: libseccomp has it there since 2.6, the kernel has not, and runc
 * is linked with the host's library.
 */
export function inAnyLibrary(text: string): string[] {
  return text.split('\n').flatMap((line) => {
    const [, abi = '', first, last, verdict] = /^(\S+) (\d+)-(\d+) (.*)$/.exec(line) ?? []
    if (verdict === undefined) return [line]
    const numbers = Array.from({ length: Number(last) - Number(first) + 1 }, (_, index) => Number(first) + index)
    return numbers.filter((number) => abi !== 'x32' || number !== 453).map((number) => `${abi} ${number} ${verdict}`)
  })
}

/** The verdict on one number with all arguments 0, or with these. */
export function verdictOn(text: string, abi: string, number: number, vector?: string): string | undefined {
  for (const line of text.split('\n')) {
    const [, name, first, last, verdict = '', others = ''] =
      /^(\S+) (\d+)-(\d+) (pass|(?:return |signal )?\d+)(.*)$/.exec(line) ?? []
    if (name !== abi || number < Number(first) || number > Number(last)) continue
    const other = others.split(/ (?=\d+,)/).find((entry) => entry.startsWith(`${vector}=`))
    return other === undefined ? verdict : other.slice(other.indexOf('=') + 1)
  }
  return undefined
}

async function bundleOf(t: Containers, profile: Profile | undefined): Promise<Bundle> {
  const bundle = await t.bundle({
    args: ['/verdicts', ...(profile === undefined ? [] : vectorsOf(profile))],
    spec: (spec) => {
      if (profile === undefined) delete spec.linux.seccomp
      else spec.linux.seccomp = profile
    },
  })
  copyFileSync(program('verdicts'), join(bundle.rootfs, 'verdicts'))
  return bundle
}

/** Arguments on both sides of every comparison of the profile, alone and as its rules ask for them together. */
function vectorsOf({ syscalls = [] }: Profile): string[] {
  const vectors = syscalls.flatMap(({ args }) => {
    const values = (args ?? []).map((arg) => ({ index: arg.index, values: valuesAround(arg) }))
    const alone = values.flatMap(({ index, values }) => values.map((value) => vector([[index, value]])))
    const together = vector(values.map(({ index, values: [value = 0n] }) => [index, value]))
    return values.length > 1 ? [...alone, together] : alone
  })
  return [...new Set(vectors)]
}

/** The value itself first. The upper half of an argument counts as much as the lower. */
function valuesAround({ value, valueTwo = 0, op }: Argument): bigint[] {
  const exact = BigInt(value)
  if (op !== 'SCMP_CMP_MASKED_EQ') return [exact, exact - 1n, exact + 1n, exact | (1n << 32n)]
  const bits = Array.from({ length: 64 }, (_, bit) => 1n << BigInt(bit))
  return [BigInt(valueTwo), exact, ~exact, ...bits.filter((bit) => exact & bit)]
}

function vector(values: readonly (readonly [index: number, value: bigint])[]): string {
  const all = [0n, 0n, 0n, 0n, 0n, 0n]
  for (const [index, value] of values) all[index] = BigInt.asUintN(64, value)
  return all.join(',')
}
