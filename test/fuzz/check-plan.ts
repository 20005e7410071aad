/** What holds for every plan, config and cgroup write, whatever config.json says. */
import { decode } from '@crio-lxc/core/abi/bytes'
import type { CgroupWrite } from '@crio-lxc/core/host/cgroup/plan/cgroup-write'
import { type Arg, Bytes, HEADER_BYTES, PLAN_BASE, type Plan, Slot, type Step } from '@crio-lxc/core/plan/plan'

/** The runtime did not refuse the document, and made something of it that it must not make. */
export class PlanError extends Error {}

function hold(condition: boolean, problem: string): asserts condition {
  if (!condition) throw new PlanError(problem)
}

const STEP_BYTES = 88

/** The file as crio-lxc-init maps it: every pointer in it leads to where it should, inside. */
export function checkImage(plan: Plan, bytes: Uint8Array): void {
  const image = new Image(bytes)
  const count = image.uint32(16)
  const steps = image.word(HEADER_BYTES - 8)
  hold(image.word(8) === image.size, 'the header tells another size')
  hold(count === plan.steps.length, 'the header tells another number of steps')
  hold(steps + count * STEP_BYTES === PLAN_BASE + image.size, 'the steps do not end with the plan')
  plan.steps.forEach((step, index) => {
    checkStep(image, step, { at: steps - PLAN_BASE + index * STEP_BYTES, left: count - index - 1 })
  })
}

function checkStep(image: Image, step: Step, { at, left }: { at: number; left: number }): void {
  const flags = image.uint32(at + 4)
  step.args.forEach((arg, index) => {
    const value = image.word(at + 8 + 8 * index)
    if (!(arg instanceof Slot || arg instanceof Bytes)) return
    hold(
      ((flags >> index) & 1) === (arg instanceof Slot ? 1 : 0),
      `${step.what}: argument ${index} is taken for another kind`,
    )
    hold(value === PLAN_BASE + arg.offset, `${step.what}: argument ${index} points elsewhere`)
    image.within(value, arg instanceof Slot ? 8 : arg.length, step.what)
    const alignment = step.call === 'status' ? 4 : 8
    if (arg instanceof Slot) hold(value % alignment === 0, `${step.what}: argument ${index} is not aligned`)
  })
  hold(flags >> 11 === 0 && (flags & 0xff) >> step.args.length === 0, `${step.what}: unknown flags`)
  hold(step.args.length <= 6, `${step.what}: more than six arguments`)
  const result = image.word(at + 72)
  if (result !== 0) image.within(result, 8, step.what)
  hold(Math.max(image.uint32(at + 80), image.uint32(at + 84)) <= left, `${step.what}: goes on behind the end`)
  checkPointees(image, step)
}

/** The structures that hold pointers themselves. */
function checkPointees(image: Image, { call, args, what }: Step): void {
  if (call === 'execve') for (const list of args.slice(1)) if (list instanceof Bytes) checkStrings(image, list, what)
  if (call === 'seccomp') {
    const fprog = args[2] as Bytes
    image.within(image.word(fprog.offset + 8), 8 * image.uint16(fprog.offset), what)
  }
  if (call === 'sendmsg') {
    const message = (args[1] as Bytes).offset
    const vector = image.word(message + 16)
    image.within(vector, 16, what)
    image.within(image.word(vector - PLAN_BASE), image.word(vector - PLAN_BASE + 8), what)
    image.within(image.word(message + 32), image.word(message + 40), what)
  }
}

/** A NULL-terminated array of NUL-terminated strings. */
function checkStrings(image: Image, list: Bytes, what: string): void {
  const count = list.length / 8 - 1
  for (let index = 0; index < count; index++) image.string(image.word(list.offset + 8 * index), what)
  hold(image.word(list.offset + 8 * count) === 0, `${what}: the array is not terminated`)
}

class Image {
  readonly #bytes: Uint8Array
  readonly #view: DataView

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  get size(): number {
    return this.#bytes.length
  }

  uint16(offset: number): number {
    return this.#view.getUint16(offset, true)
  }

  uint32(offset: number): number {
    return this.#view.getUint32(offset, true)
  }

  word(offset: number): number {
    return Number(this.#view.getBigUint64(offset, true))
  }

  within(address: number, length: number, what: string): void {
    hold(
      address >= PLAN_BASE + HEADER_BYTES - 16 && address + length <= PLAN_BASE + this.size,
      `${what}: points out of the plan`,
    )
  }

  string(address: number, what: string): string {
    this.within(address, 1, what)
    const from = address - PLAN_BASE
    const end = this.#bytes.indexOf(0, from)
    hold(end !== -1, `${what}: a string does not end`)
    return decode(this.#bytes.subarray(from, end))
  }
}

/** Names that a step may make or change in a directory: one component, that is not the directory's parent. */
const nameAt: Readonly<Record<string, number>> = { mkdirat: 1, mknodat: 1, fchownat: 1, symlinkat: 2 }

/** Paths that a step may resolve without openat2: constants of ours, before the container's root is the root. */
const constants = new Set(['/'])
const masks = /^\/usr\/libexec\/crio-lxc\/stage\/mask$/

/** No path of config.json is resolved but below the root, and nothing is made through a path. */
export function checkContainerPlan(plan: Plan): void {
  const { data } = plan
  const text = (arg: Arg | undefined): string | undefined =>
    arg instanceof Bytes ? decode(data.subarray(arg.offset, data.indexOf(0, arg.offset))) : undefined
  const root = plan.steps.findIndex(({ what }) => what === 'open the root')
  plan.steps.forEach(({ call, args, what }, index) => {
    if (call === 'openat2') {
      const path = text(args[1]) ?? '/'
      const how = args[2] as Bytes
      const resolve = new DataView(data.buffer, data.byteOffset).getUint32(how.offset + 16, true)
      // What is mounted on a directory that is its own root.
      const above = path === '..' && args[0] instanceof Slot && resolve === 0x12
      hold(above || (!path.startsWith('/') && !path.split('/').includes('..')), `${what}: resolves ${path}`)
      // RESOLVE_IN_ROOT or RESOLVE_BENEATH, and RESOLVE_NO_MAGICLINKS.
      hold((resolve & 0x18) !== 0 && (resolve & 0x02) !== 0, `${what}: resolves without a root`)
    }
    const name = text(args[nameAt[call] ?? (call === 'openat' ? 1 : 9)])
    if (name === undefined || index >= root) return
    const made = name !== '' && name !== '..' && !name.includes('/')
    hold(
      call === 'openat' ? made || constants.has(name) || masks.test(name) : made,
      `${what}: ${call} of ${JSON.stringify(name)}`,
    )
  })
}

const value = String.raw`(?:|ro|0|1|none|unchanged|WARN|/init 7|/proc/self/fd/\d+|dir:/usr/libexec/crio-lxc/stage|/usr/libexec/crio-lxc/lxc)`
const namespace = '(?:pid|net|mnt|ipc|uts|user|cgroup|time)'
const line = new RegExp(
  `^lxc\\.(?:namespace\\.clone = ${namespace}?(?: ${namespace})*|namespace\\.share\\.${namespace} = /proc/self/fd/\\d+|idmap = [ug](?: \\d+){3}|(?!namespace|hook)[a-z.]+ = ${value})$`,
)

/** Constants and numbers, nothing of the document. */
export function checkLxcConfig(config: string): void {
  for (const each of config.trimEnd().split('\n'))
    hold(line.test(each), `the liblxc config has the line ${JSON.stringify(each)}`)
}

/** Cgroup files are single components with a single line, below a directory without dots. */
export function checkWrites(directory: string, writes: readonly CgroupWrite[]): void {
  hold(
    /^\//.test(directory) && !/(?:^|\/)\.{0,2}(?:\/|$)/.test(directory.slice(1)),
    `the cgroup ${JSON.stringify(directory)}`,
  )
  hold(!/[\0\r\n]/.test(directory), `the cgroup ${JSON.stringify(directory)}`)
  for (const { file, value } of writes) {
    hold(/^[\w-]+(?:\.[\w-]+)+$/.test(file), `the cgroup file ${JSON.stringify(file)}`)
    hold(!/[\0\r\n]/.test(value), `the value ${JSON.stringify(value)} of ${file}`)
    hold(!/^cgroup\.(?:procs|threads|kill)$/.test(file), `the write to ${file}`)
  }
}

/** What every object has is no option that the runtime knows: the file system gets it. */
export function checkOptions(options: readonly string[], data: string): void {
  const passed = data.split(',')
  for (const option of options)
    if (option in Object.prototype) hold(passed.includes(option), `the option ${option} is lost`)
}
