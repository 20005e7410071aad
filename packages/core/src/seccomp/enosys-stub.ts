/**
 * What comes before a filter that refuses by default: a system call newer than all that the filter names does not exist
 * (ENOSYS), so that a C library tries the older one instead of failing with the filter's EPERM. As runc's patchbpf. PURE.
 */
import { Struct } from '../abi/bytes.ts'

/** Of each architecture the greatest number that the filter names, as seccomp_syscall_resolve_name_arch(3) gives it. */
export interface LastSyscall {
  /** SCMP_ARCH_*: AUDIT_ARCH_* of linux/audit.h, but for x32. */
  readonly arch: number
  readonly number: number
}

/** linux/bpf_common.h: load a word, jump, compare with a constant or look at its bits, return. */
const LD_W_ABS = 0x20
const JA = 0x05
const JEQ = 0x15
const JGT = 0x25
const JSET = 0x45
const RET = 0x06

/** struct seccomp_data. */
const NUMBER_OFFSET = 0
const ARCH_OFFSET = 4

const RETURN_ENOSYS = 0x00050000 + 38
const X86_64 = 0xc000003e
/** libseccomp's own token: to the kernel it is x86-64 with this bit in the number. */
const X32 = 0x4000003e
const X32_BIT = 0x40000000

const INSTRUCTION_BYTES = 8

type Instruction = readonly [code: number, k: number, jumpTrue?: number, jumpFalse?: number]

/** struct sock_filter[], which goes on with the program behind it; empty when no architecture has a number. */
export function enosysStub(last: readonly LastSyscall[]): Uint8Array {
  const x32 = last.find(({ arch }) => arch === X32)
  const sections = last.filter(({ arch }) => arch !== X32).map(({ arch, number }) => section(arch, number, x32))
  if (sections.length === 0) return new Uint8Array()
  const program: Instruction[] = [[LD_W_ABS, ARCH_OFFSET], ...sections.flat()]
  const bytes = new Struct(INSTRUCTION_BYTES * program.length)
  program.forEach(([code, k, jumpTrue = 0, jumpFalse = 0], index) => {
    const at = INSTRUCTION_BYTES * index
    bytes.set16(at, code)
    bytes[at + 2] = jumpTrue
    bytes[at + 3] = jumpFalse
    // A jump without a condition goes to the end: the program behind the stub.
    bytes.set32(at + 4, code === JA ? program.length - index - 1 : k)
  })
  return bytes
}

/** Passed over by other architectures, whose number is still what is loaded. */
function section(arch: number, number: number, x32: LastSyscall | undefined): Instruction[] {
  const end: Instruction = [JA, 0]
  const compare = (last: number): Instruction[] => [[JGT, last, 0, 1], [RET, RETURN_ENOSYS], end]
  // Without x32 in the filter its calls are those of an architecture that the filter does not know.
  const other = x32 ? compare(x32.number) : [end]
  const body: Instruction[] = [
    [LD_W_ABS, NUMBER_OFFSET],
    ...(arch === X86_64 ? [[JSET, X32_BIT, 3, 0] as const, ...compare(number), ...other] : compare(number)),
  ]
  return [[JEQ, arch, 0, body.length], ...body]
}
