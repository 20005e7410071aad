/** The numbers of plans by the names of the kernel's headers, and modes in octal. PURE. */
import type { Arch } from '../abi/arch.ts'
import * as c from '../abi/constants.ts'
import { capabilityBit } from '../oci/capabilities.ts'
import * as t from './flag-tables.ts'
import type { Meaning, Operation, Spelling } from './plan.ts'
import { hex } from './structs.ts'

type Names = Readonly<Record<string, number>>
type Spell = (value: number, args: readonly unknown[]) => string | undefined
/** By the places of the arguments. */
type Places = Readonly<Record<number, Spell>>

export function namesOf(arch: Arch): Spelling {
  const openFlags = openFlagsOf(arch)
  const calls = callsOf(openFlags)
  const members: Readonly<Record<Meaning, (value: number) => string>> = {
    'open flags': openFlags,
    resolve: flags(t.RESOLVE),
    'mount attributes': mountAttributes,
    'mount flags': flags(t.MS),
  }
  return {
    argument: (call, index, args) => {
      const value = args[index]
      return typeof value === 'number' ? calls[call]?.[index]?.(value, args) : undefined
    },
    member: (meaning, value) => members[meaning](value),
  }
}

/** Joined by `|`; what has no name stays a number. */
function flags(names: Names): (value: number) => string {
  return (value) => {
    const known = Object.entries(names).filter(([, bit]) => bit !== 0 && (value & bit) === bit)
    const rest = known.reduce((left, [, bit]) => left & ~bit, value)
    return [...known.map(([name]) => name), ...(rest === 0 ? [] : [hex(rest)])].join('|') || '0'
  }
}

function oneOf(names: Names): Spell {
  return (value) => Object.keys(names).find((name) => names[name] === value)
}

const octal = (value: number): string => (value === 0 ? '0' : `0${value.toString(8)}`)
const atFlags = flags(t.AT)
const cloneFlags = flags({ ...t.CLONE_NEW, CLONE_PARENT: c.CLONE_PARENT, SIGCHLD: c.SIGCHLD })

function openFlagsOf({ O_DIRECTORY, O_NOFOLLOW }: Arch): (value: number) => string {
  const named = flags({ ...t.O, O_WRONLY: 0, O_RDWR: 0, O_DIRECTORY, O_NOFOLLOW })
  const access = ['O_RDONLY', 'O_WRONLY', 'O_RDWR']
  return (value) => {
    const others = named(value & ~3)
    // With O_PATH the kernel looks at no access mode.
    if (value & c.O_PATH) return others
    return [access[value & 3] ?? hex(value & 3), ...(others === '0' ? [] : [others])].join('|')
  }
}

/** The access times are a number among the flags. */
function mountAttributes(value: number): string {
  const { MOUNT_ATTR__ATIME: times, ...names } = t.MOUNT_ATTR
  if (times !== undefined && (value & times) === times) {
    const others = flags(names)(value & ~times)
    return others === '0' ? 'MOUNT_ATTR__ATIME' : `${others}|MOUNT_ATTR__ATIME`
  }
  return flags(names)(value)
}

/** `S_IFCHR|0666`. */
function nodeMode(value: number): string {
  const kind = oneOf(t.S_IF)(value & c.S_IFMT, [])
  return kind ? `${kind}|${octal(value & ~c.S_IFMT)}` : octal(value)
}

/** As makedev(3) puts it together. */
function deviceNumber(value: number): string {
  const minor = (value & 0xff) + ((Math.floor(value / 2 ** 20) & 0xfff) << 8)
  return `makedev(${(value >>> 8) & 0xfff}, ${minor})`
}

const capability = oneOf(capabilityBit)
const signal: Spell = (value) => (value === c.SIGKILL ? 'SIGKILL' : undefined)

/** What the arguments of prctl(2) are depends on the first. */
const prctl: Places = {
  0: oneOf(without(t.PR, 'PR_CAP_AMBIENT_RAISE', 'PR_CAP_AMBIENT_CLEAR_ALL')),
  1: (value, [option]) => {
    if (option === c.PR_CAPBSET_DROP) return capability(value, [])
    if (option === c.PR_CAP_AMBIENT) return oneOf(t.AMBIENT)(value, [])
    return option === c.PR_SET_PDEATHSIG ? signal(value, []) : undefined
  },
  2: (value, [option, how]) =>
    option === c.PR_CAP_AMBIENT && how === c.PR_CAP_AMBIENT_RAISE ? capability(value, []) : undefined,
}

function without(names: Names, ...left: readonly string[]): Names {
  return Object.fromEntries(Object.entries(names).filter(([name]) => !left.includes(name)))
}

function callsOf(openFlags: Spell): { readonly [Name in Operation]?: Places } {
  const socketTypes = flags({ SOCK_CLOEXEC: c.SOCK_CLOEXEC })
  return {
    clone: { 0: cloneFlags },
    close_range: { 2: flags(t.CLOSE_RANGE) },
    faccessat: { 2: oneOf(t.ACCESS) },
    fchmodat: { 2: octal },
    fcntl: { 1: oneOf(t.F) },
    fsconfig: { 1: oneOf(t.FSCONFIG) },
    fsmount: { 1: flags(t.FSMOUNT), 2: mountAttributes },
    fsopen: { 1: flags(t.FSOPEN) },
    ioctl: { 1: oneOf(t.IOCTL) },
    keyctl: { 0: oneOf(t.KEYCTL) },
    mkdirat: { 2: octal },
    mknodat: { 2: nodeMode, 3: deviceNumber },
    mount: { 3: flags(t.MS) },
    mount_setattr: { 2: atFlags },
    move_mount: { 4: flags(t.MOVE_MOUNT) },
    open_tree: {
      2: flags({ ...t.OPEN_TREE, AT_RECURSIVE: c.AT_RECURSIVE, AT_EMPTY_PATH: c.AT_EMPTY_PATH }),
    },
    openat: { 2: openFlags, 3: octal },
    pipe2: { 1: flags({ O_CLOEXEC: c.O_CLOEXEC }) },
    prctl,
    prlimit64: { 1: oneOf(c.RLIMIT) },
    rt_sigprocmask: { 0: oneOf(t.SIGMASK) },
    seccomp: { 0: oneOf(t.SECCOMP_SET) },
    setns: { 1: cloneFlags },
    socket: {
      0: oneOf(t.AF),
      1: (value) => [oneOf(t.SOCK)(value & 0xf, []), socketTypes(value & ~0xf)].join('|').replace(/\|0$/, ''),
    },
    statx: { 2: atFlags },
    umask: { 0: octal },
    umount2: { 1: flags(t.MNT) },
    unshare: { 0: cloneFlags },
  }
}
