/**
 * A device policy as the program that cgroup v2 asks at every open and mknod of a device: BPF_PROG_TYPE_CGROUP_DEVICE
 * (linux/bpf.h, cgroup-v2.rst "Device controller"). PURE.
 */
import type { DeviceException, DevicePolicy } from './device-policy.ts'

/** struct bpf_insn. */
export interface Instruction {
  readonly code: (typeof opcode)[keyof typeof opcode]
  readonly dst: number
  readonly src: number
  /** Instructions to skip, or bytes from the address in `src`. */
  readonly off: number
  readonly imm: number
}

/** BPF_DEVCG_DEV_* and BPF_DEVCG_ACC_*. */
const typeBits = { b: 1, c: 2 } as const
const accessBits = { m: 1, r: 2, w: 4 } as const
const anyAccess = 7

/** Registers: the result, the context, and what it says. */
const [result, context, type, access, major, minor] = [0, 1, 2, 3, 4, 5] as const

/**
 * The operation codes in use, linux/bpf_common.h and linux/bpf.h. Comparisons are the 32-bit ones (BPF_JMP32): a 64-bit one
 * extends the sign of imm, and would never meet a number above 2^31.
 */
export const opcode = {
  load: 0x61,
  copy: 0xbc,
  set: 0xb4,
  and: 0x54,
  shiftRight: 0x74,
  jump: 0x05,
  jumpUnlessEqual: 0x56,
  jumpIfAnyBit: 0x46,
  exit: 0x95,
} as const

/** The program returns 1 to grant the access and 0 to refuse it. */
export function planDeviceProgram(policy: DevicePolicy): Instruction[] {
  return [
    // struct bpf_cgroup_dev_ctx { access << 16 | type, major, minor }
    instruction(opcode.load, { dst: type, src: context, off: 0 }),
    instruction(opcode.copy, { dst: access, src: type }),
    instruction(opcode.and, { dst: type, imm: 0xffff }),
    instruction(opcode.shiftRight, { dst: access, imm: 16 }),
    instruction(opcode.load, { dst: major, src: context, off: 4 }),
    instruction(opcode.load, { dst: minor, src: context, off: 8 }),
    ...policy.exceptions.flatMap((exception) => exceptionBlock(exception, policy.allow)),
    ...answer(policy.allow),
  ]
}

/** Answers for what the exception is about, and falls through for everything else. */
function exceptionBlock(exception: DeviceException, allow: boolean): Instruction[] {
  const bits = [...exception.access].reduce((sum, letter) => sum | accessBits[letter as keyof typeof accessBits], 0)
  const end = answer(!allow)
  const tests: ((skip: number) => Instruction)[] = [
    (off) => instruction(opcode.jumpUnlessEqual, { dst: type, imm: typeBits[exception.type], off }),
  ]
  for (const [dst, imm] of [
    [major, exception.major],
    [minor, exception.minor],
  ] as const)
    if (imm !== undefined) tests.push((off) => instruction(opcode.jumpUnlessEqual, { dst, imm, off }))
  if (allow) {
    tests.push(() => instruction(opcode.jumpIfAnyBit, { dst: access, imm: bits, off: 1 }))
    tests.push((off) => instruction(opcode.jump, { off }))
  } else if (bits !== anyAccess) {
    tests.push((off) => instruction(opcode.jumpIfAnyBit, { dst: access, imm: anyAccess & ~bits, off }))
  }
  return [...tests.map((test, index) => test(tests.length - 1 - index + end.length)), ...end]
}

function answer(allow: boolean): Instruction[] {
  return [instruction(opcode.set, { dst: result, imm: allow ? 1 : 0 }), instruction(opcode.exit, {})]
}

function instruction(code: Instruction['code'], fields: Partial<Omit<Instruction, 'code'>>): Instruction {
  return { code, dst: 0, src: 0, off: 0, imm: 0, ...fields }
}

/** struct bpf_insn[] of a little-endian machine, 8 bytes each. */
export function encodeInstructions(instructions: readonly Instruction[]): Uint8Array {
  const bytes = new Uint8Array(8 * instructions.length)
  const view = new DataView(bytes.buffer)
  instructions.forEach(({ code, dst, src, off, imm }, index) => {
    view.setUint8(8 * index, code)
    view.setUint8(8 * index + 1, dst | (src << 4))
    view.setInt16(8 * index + 2, off, true)
    view.setUint32(8 * index + 4, imm, true)
  })
  return bytes
}
