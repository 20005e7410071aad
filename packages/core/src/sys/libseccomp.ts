/** libseccomp as it is linked in: names and rules become the BPF program of the running architecture; seccomp_rule_add(3). */

import { concat, Struct } from '../abi/bytes.ts'
import { errnoSentence } from '../abi/errno.ts'
import { RuntimeError } from '../errors/runtime-error.ts'
import { enosysStub, type LastSyscall } from '../seccomp/enosys-stub.ts'
import type { ArgumentTest, Filter } from '../seccomp/filter.ts'
import { engine, type Word } from './engine.ts'
import { close, read } from './fd.ts'
import { fstat } from './files.ts'
import type { LinkedFunction } from './linked-functions.ts'
import { memfdCreate } from './memfd.ts'

const UNKNOWN_SYSCALL = -1
const EEXIST = -17
const SCMP_FLTATR_CTL_OPTIMIZE = 8
const BINARY_TREE = 2
const TEST_BYTES = 24
/** Most instructions of a filter, linux/bpf_common.h. */
const BPF_MAXINSNS = 4096

/** The program as struct sock_filter[]; throws RuntimeError `unsupported` for what libseccomp refuses. */
export function exportBpf({ defaultAction, architectures, rules, known }: Filter): Uint8Array {
  const context = engine.call('seccomp_init', defaultAction)
  if (context === 0) throw new RuntimeError('unsupported', 'linux.seccomp.defaultAction: libseccomp refuses it')
  try {
    const tokens = new Set([invoke('seccomp_arch_native')])
    for (const name of architectures) {
      const token = invoke('seccomp_arch_resolve_name', name)
      if (token === 0) throw new RuntimeError('unsupported', `linux.seccomp.architectures: libseccomp knows no ${name}`)
      tokens.add(token)
      check(invoke('seccomp_arch_add', context, token), `add the architecture ${name}`, [EEXIST])
    }
    // Hundreds of comparisons in a row cost every system call of the container; an old library does without.
    invoke('seccomp_attr_set', context, SCMP_FLTATR_CTL_OPTIMIZE, BINARY_TREE)
    const numbers = new Map<string, number>()
    const numberOf = (name: string): number => {
      const number = numbers.get(name) ?? invoke('seccomp_syscall_resolve_name', name)
      numbers.set(name, number)
      return number
    }
    const encoded = new Map<readonly ArgumentTest[], Uint8Array>()
    const bytesOf = (tests: readonly ArgumentTest[]): Uint8Array => {
      const bytes = encoded.get(tests) ?? encode(tests)
      encoded.set(tests, bytes)
      return bytes
    }
    for (const { action, syscall, tests } of rules) {
      const number = numberOf(syscall)
      // A name the library does not know is a system call that this kernel's headers do not have: runc skips it too.
      if (number === UNKNOWN_SYSCALL) continue
      const added = invoke('seccomp_rule_add_array', context, action, number, tests.length, bytesOf(tests))
      check(added, `add the rule for ${syscall}`)
    }
    for (const name of known ?? []) numberOf(name)
    const stub = known ? enosysStub(lastSyscalls([...tokens], numbers)) : new Uint8Array()
    return exportProgram(stub, (fd) => check(invoke('seccomp_export_bpf', context, fd), 'export the filter'))
  } finally {
    engine.call('seccomp_release', context)
  }
}

/** Since Linux 5.1 a new system call has the same number everywhere, but for an offset of the whole table. */
const FIRST_COMMON = 424
/** Some calls of x32 have numbers of their own, which end with that of pwritev2; the common ones are smaller. */
const X32 = 0x4000003e
const LAST_OF_X32 = 'pwritev2'

/**
 * The greatest number in each architecture. A call costs 2 µs, and a usual profile would take a thousand: when the
 * greatest number of the own architecture is a common one, only such calls, and those that it does not have, can be the
 * greatest elsewhere. In x32 any can, unless the last one of all is there.
 */
function lastSyscalls(tokens: readonly number[], numbers: ReadonlyMap<string, number>): LastSyscall[] {
  const native = invoke('seccomp_arch_native')
  const names = [...numbers.keys()]
  const greatest = Math.max(-1, ...numbers.values())
  const isCandidate = (number: number): boolean => greatest < FIRST_COMMON || number < 0 || number >= FIRST_COMMON
  const common = names.filter((name) => isCandidate(numbers.get(name) ?? UNKNOWN_SYSCALL))
  const ofX32 = numbers.has(LAST_OF_X32) ? [LAST_OF_X32] : names
  return tokens.flatMap((arch) => {
    const candidates = arch === X32 ? ofX32 : common
    // Negative ones are those that the architecture does not have.
    const number =
      arch === native
        ? greatest
        : Math.max(-1, ...candidates.map((name) => invoke('seccomp_syscall_resolve_name_arch', arch, name)))
    return number < 0 ? [] : [{ arch: arch >>> 0, number }]
  })
}

function exportProgram(stub: Uint8Array, write: (fd: number) => void): Uint8Array {
  const fd = memfdCreate('seccomp')
  try {
    write(fd)
    const exported = new Uint8Array(fstat(fd).size)
    read(fd, exported, 0)
    const program = concat(stub, exported)
    // The length that seccomp(2) is given has 16 bits: beyond them another, shorter filter would be loaded.
    if (program.length > 8 * BPF_MAXINSNS)
      throw new RuntimeError(
        'unsupported',
        `linux.seccomp: the filter has ${program.length / 8} instructions, and the kernel takes ${BPF_MAXINSNS}: give fewer rules`,
      )
    return program
  } finally {
    close(fd)
  }
}

function encode(tests: readonly ArgumentTest[]): Uint8Array {
  const bytes = new Struct(TEST_BYTES * tests.length)
  for (const [i, { index, op, a, b }] of tests.entries()) {
    const at = TEST_BYTES * i
    bytes.set32(at, index).set32(at + 4, op)
    bytes.set64(at + 8, a).set64(at + 16, b)
  }
  return bytes
}

/** An int that the library returns. */
function invoke(name: LinkedFunction, ...words: readonly Word[]): number {
  return engine.call(name, ...words) | 0
}

function check(result: number, what: string, allowed: readonly number[] = []): void {
  if (result >= 0 || allowed.includes(result)) return
  throw new RuntimeError('unsupported', `linux.seccomp: ${what}: libseccomp says ${errnoSentence(-result)}`)
}
