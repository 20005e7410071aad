/** Device plans in words, for `debug plan`. PURE. */
import type { DevicePlan } from './device-plan.ts'
import { deviceLine } from './device-policy.ts'
import { type Instruction, opcode, planDeviceProgram } from './device-program.ts'

export interface PrintedDevicePlan {
  /** `deny everything`, and the exceptions: `allow c 1:3 rwm`. */
  readonly policy: string[]
  /** The program of a v2 cgroup as bpftool(8) prints one, a jump with the number of the instruction it goes to; absent on v1. */
  readonly program?: string[]
}

export function printDevicePlan({ hierarchy, policy }: DevicePlan): PrintedDevicePlan {
  const { allow, exceptions } = policy
  const words = [
    `${allow ? 'allow' : 'deny'} everything`,
    ...exceptions.map((exception) => `${allow ? 'deny' : 'allow'} ${deviceLine(exception)}`),
  ]
  if (hierarchy.version === 1) return { policy: words }
  return { policy: words, program: planDeviceProgram(policy).map(instructionText) }
}

function instructionText({ code, dst, src, off, imm }: Instruction, index: number): string {
  const goto = `goto ${index + 1 + off}`
  switch (code) {
    case opcode.load:
      return `r${dst} = *(u32 *)(r${src} + ${off})`
    case opcode.copy:
      return `w${dst} = w${src}`
    case opcode.set:
      return `w${dst} = ${imm}`
    case opcode.and:
      return `w${dst} &= ${imm}`
    case opcode.shiftRight:
      return `w${dst} >>= ${imm}`
    case opcode.jumpUnlessEqual:
      return `if w${dst} != ${imm} ${goto}`
    case opcode.jumpIfAnyBit:
      return `if w${dst} & ${imm} ${goto}`
    case opcode.jump:
      return goto
    case opcode.exit:
      return 'exit'
  }
}
