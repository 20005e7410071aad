import { execFileSync, spawnSync } from 'node:child_process'
import { closeSync, openSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Arch, arm64, x64 } from '@crio-lxc/core/abi/arch'
import { compile } from '@crio-lxc/core/plan/compile'
import type { Plan } from '@crio-lxc/core/plan/plan'
import { typescript } from '../support/node.ts'

const initPackage = join(import.meta.dirname, '../../packages/init')

/** crio-lxc-init for one architecture, and how it is compiled and run on this machine. */
export interface Target {
  readonly name: string
  readonly arch: Arch
  readonly compiler: string
  /** What runs its executables; empty for the machine's own. */
  readonly emulator: readonly string[]
}

export const targets: readonly Target[] = [
  { name: 'x86-64', arch: x64, compiler: 'x86_64-linux-gnu-gcc', emulator: [] },
  { name: 'arm64', arch: arm64, compiler: 'aarch64-linux-gnu-gcc', emulator: ['qemu-aarch64-static'] },
]

/** What became of a plan. */
export interface Outcome {
  readonly status: number | null
  readonly stdout: string
  /** The failure record, struct failure of crio-lxc-init.c. */
  readonly failure: { readonly tag: number; readonly step: number; readonly errno: number } | undefined
}

const PLAN_FD = 3
/** The fd that plans under test report to. */
export const REPORT_FD = 4

/** Builds the executor as the product is built, with the target's compiler; the path of the executable. */
export function buildExecutor({ name, compiler }: Target, directory: string): string {
  const executable = join(directory, `crio-lxc-init-${name}`)
  execFileSync(process.execPath, [...typescript, 'compile.ts', executable], {
    cwd: initPackage,
    env: { ...process.env, CC: compiler },
  })
  return executable
}

/** Runs `plan` with the plan file on fd 3 and a pipe on fd 4. */
export function runPlan(target: Target, executable: string, plan: Plan): Outcome {
  return runPlanFile(target, executable, compile(plan, REPORT_FD))
}

/** Runs the executor on a plan file that holds `content`. */
export function runPlanFile({ emulator }: Target, executable: string, content: Uint8Array): Outcome {
  const path = `${executable}.plan`
  writeFileSync(path, content)
  const fd = openSync(path, 'r')
  try {
    const [command = executable, ...args] = [...emulator, executable, String(PLAN_FD)]
    const { status, output, error } = spawnSync(command, args, {
      stdio: ['ignore', 'pipe', 'inherit', fd, 'pipe'],
      timeout: 10_000,
    })
    if (error) throw error
    return { status, stdout: String(output[1]), failure: parseFailure(output[REPORT_FD] as unknown as Buffer) }
  } finally {
    closeSync(fd)
  }
}

/** Undefined when nothing was written; throws when it is no whole record. */
export function parseFailure(record: Buffer): Outcome['failure'] {
  if (record.length === 0) return undefined
  if (record.length !== 16) throw new Error(`a failure record of ${record.length} bytes`)
  return { tag: record.readUInt32LE(0), step: record.readUInt32LE(4), errno: record.readUInt32LE(8) }
}
