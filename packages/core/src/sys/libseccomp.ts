/** libseccomp through foreign functions: names and rules become the BPF program of the running architecture; seccomp_rule_add(3). */
import { closeSync, fstatSync, readSync } from 'node:fs'
import { errnoSentence } from '../abi/errno.ts'
import { RuntimeError } from '../errors/runtime-error.ts'
import { enosysStub, type LastSyscall } from '../seccomp/enosys-stub.ts'
import type { ArgumentTest, Filter } from '../seccomp/filter.ts'
import { foreign, type Native } from './foreign.ts'
import { loaderSentence } from './loader-sentence.ts'
import { memfdCreate } from './memfd.ts'

const LIBSECCOMP = 'libseccomp.so.2'
const UNKNOWN_SYSCALL = -1
const EEXIST = -17
const SCMP_FLTATR_CTL_OPTIMIZE = 8
const BINARY_TREE = 2
const TEST_BYTES = 24
/** Most instructions of a filter, linux/bpf_common.h. */
const BPF_MAXINSNS = 4096

/** The program as struct sock_filter[]; throws RuntimeError `unsupported` for what libseccomp refuses. */
export function exportBpf({ defaultAction, architectures, rules, known }: Filter): Buffer {
  const lib = load()
  const context = (lib.init as (action: number) => unknown)(defaultAction)
  if (!context) throw new RuntimeError('unsupported', 'linux.seccomp.defaultAction: libseccomp refuses it')
  try {
    const tokens = new Set([lib.nativeArch()])
    for (const name of architectures) {
      const token = lib.resolveArch(name)
      if (token === 0) throw new RuntimeError('unsupported', `linux.seccomp.architectures: libseccomp knows no ${name}`)
      tokens.add(token)
      check(lib.addArch(context, token), `add the architecture ${name}`, [EEXIST])
    }
    // Hundreds of comparisons in a row cost every system call of the container; an old library does without.
    lib.setAttribute(context, SCMP_FLTATR_CTL_OPTIMIZE, BINARY_TREE)
    const numbers = new Map<string, number>()
    const numberOf = (name: string): number => {
      const number = numbers.get(name) ?? lib.resolveSyscall(name)
      numbers.set(name, number)
      return number
    }
    for (const { action, syscall, tests } of rules) {
      const number = numberOf(syscall)
      // A name the library does not know is a system call that this kernel's headers do not have: runc skips it too.
      if (number === UNKNOWN_SYSCALL) continue
      check(lib.addRule(context, action, number, tests.length, encode(tests)), `add the rule for ${syscall}`)
    }
    for (const name of known ?? []) numberOf(name)
    const stub = known ? enosysStub(lastSyscalls(lib, [...tokens], numbers)) : Buffer.alloc(0)
    return exportProgram(stub, (fd) => check(lib.exportBpf(context, fd), 'export the filter'))
  } finally {
    lib.release(context)
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
function lastSyscalls(lib: Libseccomp, tokens: readonly number[], numbers: ReadonlyMap<string, number>): LastSyscall[] {
  const native = lib.nativeArch()
  const names = [...numbers.keys()]
  const greatest = Math.max(-1, ...numbers.values())
  const isCandidate = (number: number): boolean => greatest < FIRST_COMMON || number < 0 || number >= FIRST_COMMON
  const common = names.filter((name) => isCandidate(numbers.get(name) ?? UNKNOWN_SYSCALL))
  const ofX32 = numbers.has(LAST_OF_X32) ? [LAST_OF_X32] : names
  return tokens.flatMap((arch) => {
    const candidates = arch === X32 ? ofX32 : common
    // Negative ones are those that the architecture does not have.
    const number =
      arch === native ? greatest : Math.max(-1, ...candidates.map((name) => lib.resolveSyscallOfArch(arch, name)))
    return number < 0 ? [] : [{ arch: arch >>> 0, number }]
  })
}

function exportProgram(stub: Buffer, write: (fd: number) => void): Buffer {
  const fd = memfdCreate('seccomp')
  try {
    write(fd)
    const exported = Buffer.alloc(fstatSync(fd).size)
    readSync(fd, exported, 0, exported.length, 0)
    const program = Buffer.concat([stub, exported])
    // The length that seccomp(2) is given has 16 bits: beyond them another, shorter filter would be loaded.
    if (program.length > 8 * BPF_MAXINSNS)
      throw new RuntimeError(
        'unsupported',
        `linux.seccomp: the filter has ${program.length / 8} instructions, and the kernel takes ${BPF_MAXINSNS}: give fewer rules`,
      )
    return program
  } finally {
    closeSync(fd)
  }
}

function encode(tests: readonly ArgumentTest[]): Buffer {
  const bytes = Buffer.alloc(TEST_BYTES * tests.length)
  tests.forEach(({ index, op, a, b }, i) => {
    bytes.writeUInt32LE(index, TEST_BYTES * i)
    bytes.writeUInt32LE(op, TEST_BYTES * i + 4)
    bytes.writeBigUInt64LE(BigInt.asUintN(64, BigInt(a)), TEST_BYTES * i + 8)
    bytes.writeBigUInt64LE(BigInt.asUintN(64, BigInt(b)), TEST_BYTES * i + 16)
  })
  return bytes
}

function check(result: number, what: string, allowed: readonly number[] = []): void {
  if (result >= 0 || allowed.includes(result)) return
  throw new RuntimeError('unsupported', `linux.seccomp: ${what}: libseccomp says ${errnoSentence(-result)}`)
}

interface Libseccomp {
  readonly init: Native
  readonly release: Native
  readonly resolveArch: Native
  readonly addArch: Native
  readonly setAttribute: Native
  readonly resolveSyscall: Native
  readonly nativeArch: Native
  readonly resolveSyscallOfArch: Native
  readonly addRule: Native
  readonly exportBpf: Native
}

let library: Libseccomp | undefined

function load(): Libseccomp {
  if (library) return library
  // Without koffi no library can be loaded at all, which says nothing about this one.
  const { load } = foreign()
  try {
    const lib = load(LIBSECCOMP)
    const declare = (prototype: string): Native => lib.func(prototype)
    library = {
      init: declare('void *seccomp_init(uint32_t action)'),
      release: declare('void seccomp_release(void *context)'),
      resolveArch: declare('uint32_t seccomp_arch_resolve_name(const char *name)'),
      addArch: declare('int seccomp_arch_add(void *context, uint32_t token)'),
      setAttribute: declare('int seccomp_attr_set(void *context, int attribute, uint32_t value)'),
      nativeArch: declare('uint32_t seccomp_arch_native()'),
      resolveSyscallOfArch: declare('int seccomp_syscall_resolve_name_arch(uint32_t token, const char *name)'),
      resolveSyscall: declare('int seccomp_syscall_resolve_name(const char *name)'),
      addRule: declare(
        'int seccomp_rule_add_array(void *context, uint32_t action, int syscall, unsigned int count, void *tests)',
      ),
      exportBpf: declare('int seccomp_export_bpf(void *context, int fd)'),
    }
  } catch (cause) {
    const problem = `linux.seccomp: load ${loaderSentence(cause)}`
    throw new RuntimeError('unsupported', `${problem}: install libseccomp 2.5 or newer, with what it needs`, { cause })
  }
  return library
}
