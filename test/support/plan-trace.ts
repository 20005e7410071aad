/** What `debug plan` prints, held against the system calls of the processes that run the plans, as strace(1) prints them. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** A line of `debug plan --json`. */
export interface PlannedStep {
  readonly step: number
  readonly what: string
  readonly call: string
  readonly next?: string
}

interface Call {
  readonly name: string
  readonly args: readonly string[]
  /** Undefined when it has not returned. */
  readonly result: number | undefined
  readonly errno: string | undefined
}

/** The arguments of strace(1) for `Traces`. */
export function strace(directory: string): string[] {
  return ['strace', '-ff', '-X', 'raw', '-s', '65536', '-o', join(directory, 'trace')]
}

/** The calls of each process, by its pid. */
export class Traces {
  readonly #calls = new Map<number, readonly Call[]>()

  constructor(directory: string) {
    for (const name of readdirSync(directory)) {
      const lines = readFileSync(join(directory, name), 'utf8').split('\n')
      this.#calls.set(
        Number(name.split('.')[1]),
        lines.map(parseCall).filter((call) => call !== undefined),
      )
    }
  }

  /** What the process did that became the monitor, from the beginning of its plan on. */
  get launcher(): readonly Call[] {
    const of = [...this.#calls.values()].find((calls) =>
      this.#goingOn(calls).some(({ args }) => /crio-lxc-start"$/.test(args[0] ?? '')),
    )
    return plansOf(this.#goingOn(of ?? []))[0] ?? []
  }

  /** What init did, plan by plan. */
  get init(): readonly (readonly Call[])[] {
    const isInit = ({ name, args }: Call): boolean => name === 'execve' && args[0] === '"/init"'
    return plansOf([...this.#calls.values()].find((calls) => calls.some(isInit)) ?? [])
  }

  /** What the process did that entered a container, from the beginning of its plan on, and what it left behind in the last fork. */
  get entered(): { readonly process: readonly Call[]; readonly left: readonly Call[] } {
    const begun = [...this.#calls.values()].map((calls) => plansOf(calls)[0]).find((calls) => calls !== undefined)
    const inside = this.#goingOn(begun ?? [])
    return { process: this.#goingOn(inside, 'clone'), left: inside }
  }

  /** The calls of an executor, and of the child that goes on in its place (clone3(2) into a cgroup). */
  #goingOn(calls: readonly Call[], by = 'clone3'): readonly Call[] {
    const at = calls.findIndex(({ name, result = 0 }) => name === by && result > 0)
    const fork = calls[at]
    const child = fork && this.#calls.get(fork.result ?? 0)
    return fork && child ? [...calls.slice(0, at), { ...fork, result: 0 }, ...child] : calls
  }
}

/** Where the executor begins a plan: it has read the header, mapped the file and closed it. */
function plansOf(calls: readonly Call[]): readonly (readonly Call[])[] {
  const starts = calls.flatMap(({ name, args }, index) =>
    name === 'mmap' && args[0] === '0x100000000' && calls[index + 1]?.name === 'close' ? [index + 2] : [],
  )
  return starts.map((start, index) => calls.slice(start, starts[index + 1]))
}

/** `name(args) = result`; undefined for what is no call. */
function parseCall(line: string): Call | undefined {
  const [, name, rest] = /^(\w+)\((.*)$/.exec(line) ?? []
  if (name === undefined || rest === undefined) return undefined
  const [, args = rest, result, errno] = /^(.*)\) += (-?\d+|0x[0-9a-f]+|\?)(?: (\w+))?/.exec(rest) ?? []
  const number = result === undefined || result === '?' ? undefined : Number(result)
  return { name, args: splitArguments(args), result: number, errno: number === -1 ? errno : undefined }
}

/** At the commas that stand outside of strings and brackets. */
function splitArguments(text: string): string[] {
  const args: string[] = []
  let [depth, from, quoted] = [0, 0, false]
  for (let at = 0; at < text.length; at++) {
    const character = text[at]
    if (quoted && character === '\\') at++
    else if (character === '"') quoted = !quoted
    else if (!quoted && /[([{<]/.test(character ?? '')) depth++
    else if (!quoted && /[)\]}>]/.test(character ?? '')) depth--
    else if (!quoted && depth === 0 && character === ',') {
      args.push(text.slice(from, at).trim())
      from = at + 1
    }
  }
  return [...args, text.slice(from).trim()].filter((arg) => arg !== '')
}

/** Calls whose first argument is a descriptor, whose number debug plan can only invent; and where others are. */
const first = [0]
const descriptors: Readonly<Record<string, readonly number[]>> = {
  ...Object.fromEntries(
    'close read write openat openat2 mkdirat mknodat statx fstatfs fchdir ioctl fcntl setns open_tree mount_setattr fsconfig fsmount unlinkat fchownat fchmodat fchown fchmod sendto sendmsg recvfrom ftruncate getdents64 readlinkat faccessat'
      .split(' ')
      .map((name) => [name, first]),
  ),
  move_mount: [0, 2],
  dup3: [0, 1],
  linkat: [0, 2],
  symlinkat: [1],
}

/** From here on numbers stand for what the plan's maker has not opened; below are those that its caller has. */
const INVENTED = 200

/** What of a run of a plan decides how it goes on. */
interface Run {
  readonly step: number
  readonly call: number
  /** Results by the names of their slots. */
  readonly slots: ReadonlyMap<string, number>
}

/**
 * Undefined when `calls` are what the plan says, from its first step to the one with the words `last`, with nothing between;
 * else where they part. Of descriptors that only debug plan numbers, each has to be the same one throughout.
 */
export function departure(plan: readonly PlannedStep[], calls: readonly Call[], last: string): string | undefined {
  const numbers = new Map<number, number>()
  const ways: Run[] = [{ step: 0, call: 0, slots: new Map() }]
  let furthest = { step: -1, problem: 'the plan is empty' }
  for (let run = ways.pop(); run; run = ways.pop()) {
    const step = plan[run.step]
    const call = calls[run.call]
    if (!step) continue
    const planned = parsePlanned(step)
    if (['move', 'and', 'status', 'fail'].includes(planned.name)) {
      ways.push(...inner(planned, run))
      continue
    }
    const problem = call ? differs(planned, call, { slots: run.slots, numbers }) : 'nothing more was called'
    if (problem === undefined && step.what === last) return undefined
    if (problem === undefined && call) ways.push(...after(planned, call, run))
    else if (step.step > furthest.step)
      furthest = { step: step.step, problem: `step ${step.step}, ${step.what}: planned ${step.call}, ${problem}` }
  }
  return furthest.problem
}

interface Planned {
  readonly name: string
  readonly args: readonly string[]
  readonly result: string | undefined
  readonly onOk: number | undefined
  readonly ifNonZero: boolean
  readonly ignored: readonly string[]
  readonly onIgnored: number | undefined
}

function parsePlanned({ call, next = '' }: PlannedStep): Planned {
  const [, name = '', args = '', result] = /^(\w+)\((.*?)\)(?: = <([^<>]*)>)?$/s.exec(call) ?? []
  const ok = /(after success|when it is not 0) go to (\d+)/.exec(next)
  const ignored = /([A-Z0-9]+(?:, [A-Z0-9]+)*) ignored(?: +go to (\d+))?/.exec(next)
  return {
    name,
    args: splitArguments(args),
    result,
    onOk: ok?.[2] === undefined ? undefined : Number(ok[2]),
    ifNonZero: ok?.[1] === 'when it is not 0',
    ignored: ignored?.[1]?.split(', ') ?? [],
    onIgnored: ignored?.[2] === undefined ? undefined : Number(ignored[2]),
  }
}

/** A step that the executor does by itself: what it knows only from memory may go either way. */
function inner(planned: Planned, run: Run): Run[] {
  const value = planned.name === 'move' ? numberOf(planned.args[0] ?? '', run.slots) : undefined
  const slots = withResult(planned, value, run.slots)
  const jumps = value === undefined ? [planned.onOk, planned.onIgnored] : [goesOn(planned, value)]
  const steps = new Set([...(value === undefined ? [run.step + 1] : []), ...jumps.map((to) => to ?? run.step + 1)])
  return [...steps].map((step) => ({ step, call: run.call, slots }))
}

function after(planned: Planned, { result = 0, errno }: Call, run: Run): Run[] {
  const call = run.call + 1
  if (errno !== undefined) {
    if (!planned.ignored.includes(errno)) return []
    return [{ step: planned.onIgnored ?? run.step + 1, call, slots: run.slots }]
  }
  return [{ step: goesOn(planned, result) ?? run.step + 1, call, slots: withResult(planned, result, run.slots) }]
}

function goesOn({ onOk, ifNonZero }: Planned, result: number): number | undefined {
  return ifNonZero && result === 0 ? undefined : onOk
}

function withResult({ result }: Planned, value: number | undefined, slots: ReadonlyMap<string, number>): Run['slots'] {
  // Many words have no name of their own.
  if (result === undefined || result === 'word') return slots
  const changed = new Map(slots)
  if (value === undefined) changed.delete(result)
  else changed.set(result, value)
  return changed
}

function differs(
  { name, args }: Planned,
  call: Call,
  { slots, numbers }: { readonly slots: Run['slots']; readonly numbers: Map<number, number> },
): string | undefined {
  const called = `called ${call.name}(${call.args.join(', ')})`
  if (call.name !== name) return called
  for (const [index, arg] of args.entries()) {
    const given = call.args[index]
    // strace leaves out what the kernel does not look at.
    if (given === undefined) break
    if (listed[name] === index && numbersOf(arg).join() !== numbersOf(given).join()) return called
    if (name === 'execve' && index === 1 && commandOf(arg) !== commandOf(given)) return called
    if (arg.startsWith('"') && given !== 'NULL' && JSON.stringify(unquoted(given)) !== arg) return called
    const [planned, made] = [numberOf(arg, slots), numberOf(given, slots)]
    if (planned === undefined || made === undefined) continue
    if (name === 'close_range' && planned >= INVENTED) continue
    if (descriptors[name]?.includes(index) && planned >= 0 && !arg.startsWith('<')) {
      if (numbers.has(planned) ? numbers.get(planned) !== made : made < 0) return called
      numbers.set(planned, made)
    } else if (BigInt.asUintN(32, BigInt(planned)) !== BigInt.asUintN(32, BigInt(made))) return called
  }
  return undefined
}

/** A command line without numbers of descriptors; that of the monitor is its program: in a plan no container has an id. */
function commandOf(text: string): string {
  return text.replace(/"\d+"/g, '"N"').replace(/(crio-lxc-start").*/, '$1')
}

/** Which argument of these is a structure or an array whose numbers count. */
const listed: Readonly<Record<string, number>> = { setgroups: 1, prlimit64: 2, capset: 1 }

/** All of a structure, with products as strace writes them; those of names are none. */
function numbersOf(text: string): number[] {
  // Sets of capabilities are printed in hexadecimal alone.
  const plain = text.replace(/\b(effective|permitted|inheritable)=(?=[0-9a-f]+[,}])/g, '$1=0x')
  const numbers = plain.matchAll(/(?<![\w.])(?:0x[0-9a-f]+|\d+)(?:\*\d+)*(?!\w)/g)
  return [...numbers].map(([product]) => product.split('*').reduce((result, factor) => result * Number(factor), 1))
}

/** Undefined for what is no number, or a slot of which nothing is known. */
function numberOf(text: string, slots: ReadonlyMap<string, number>): number | undefined {
  const slot = /^<([^<>]*)>$/.exec(text)?.[1]
  if (slot !== undefined) return slots.get(slot)
  if (text === 'AT_FDCWD') return -100
  if (text === 'NULL') return 0
  if (/^0[0-7]+$/.test(text)) return Number.parseInt(text, 8)
  return /^(-?\d+|0x[0-9a-f]+)$/.test(text) ? Number(text) : undefined
}

/** The text of a string of strace's, which writes other bytes in octal. */
function unquoted(text: string): string {
  const bytes = text
    .replace(/^"|"$/g, '')
    .replace(/\\([0-7]{1,3}|.)/g, (_, code: string) =>
      /^[0-7]/.test(code) ? String.fromCharCode(Number.parseInt(code, 8)) : (escapes[code] ?? code),
    )
  return Buffer.from(bytes, 'latin1').toString('utf8')
}

const escapes: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', v: '\v', f: '\f' }
