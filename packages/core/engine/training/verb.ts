/**
 * What the programs do with the engine, in small: a document is parsed and checked, becomes steps with the bytes that they
 * point at, an image of words and lines of text. It stays as it is when the programs change, so that the engine stays the same.
 */

interface Engine {
  readonly arch: string
  readonly environment: readonly string[]
  syscall(number: number, ...words: (number | string | bigint | Uint8Array | null)[]): number
  address(bytes: Uint8Array): number
  encode(text: string): ArrayBuffer
  decode(bytes: Uint8Array): string
}

const { engine } = globalThis as unknown as { engine: Engine }

const errnos = { EPERM: 1, ENOENT: 2, EINTR: 4, EEXIST: 17, ENOTDIR: 20, EINVAL: 22, ENOSYS: 38, ELOOP: 40 } as const
type Errno = keyof typeof errnos
const names = new Map(Object.entries(errnos).map(([name, number]) => [number as number, name]))
const getppid = engine.arch === 'x64' ? 110 : 173
const readlinkat = engine.arch === 'x64' ? 267 : 78

const mountFlags: Readonly<Record<string, readonly [flag: number, clear: boolean]>> = {
  ro: [1, false],
  rw: [1, true],
  nosuid: [2, false],
  nodev: [4, false],
  noexec: [8, false],
  strictatime: [1 << 24, false],
  relatime: [1 << 21, false],
}

interface Mount {
  readonly destination: string
  readonly type: string
  readonly source: string
  readonly options?: readonly string[]
}

interface Document {
  readonly version: string
  readonly root: { readonly path: string; readonly readonly?: boolean }
  readonly process: {
    readonly args: readonly string[]
    readonly env: readonly string[]
    readonly cwd: string
    readonly uid: number
  }
  readonly mounts: readonly Mount[]
  readonly limits: Readonly<Record<string, number | string | boolean>>
  readonly masked: readonly string[]
}

class DocumentError extends Error {
  override readonly name = 'DocumentError'
  readonly path: readonly (string | number)[]

  constructor(path: readonly (string | number)[], message: string, options?: ErrorOptions) {
    super(`${path.join('.')}: ${message}`, options)
    this.path = path
  }
}

type Check = (value: unknown, path: readonly (string | number)[]) => void

const text: Check = (value, path) => {
  if (typeof value !== 'string') throw new DocumentError(path, `must be a string, not ${typeof value}`)
  if (/[\n\r\u2028]/.test(value)) throw new DocumentError(path, 'holds a character that no name may hold')
}

const count: Check = (value, path) => {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0)
    throw new DocumentError(path, 'must be a number')
}

const scalar: Check = (value, path) => {
  if (typeof value === 'number') count(value, path)
  else if (typeof value !== 'boolean') text(value, path)
}

function listOf(check: Check): Check {
  return (value, path) => {
    if (!Array.isArray(value)) throw new DocumentError(path, 'must be a list')
    for (const [index, item] of value.entries()) check(item, [...path, index])
  }
}

function mapOf(check: Check): Check {
  return (value, path) => {
    for (const key of Object.keys(value as object)) check((value as Record<string, unknown>)[key], [...path, key])
  }
}

function fields(known: Readonly<Record<string, Check>>, required: readonly string[] = []): Check {
  return (value, path) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw new DocumentError(path, 'must be an object')
    for (const name of required) if (!Object.hasOwn(value, name)) throw new DocumentError([...path, name], 'is missing')
    for (const [name, item] of Object.entries(value)) known[name]?.(item, [...path, name])
  }
}

const checkDocument = fields(
  {
    version: text,
    root: fields({ path: text }, ['path']),
    process: fields({ args: listOf(text), env: listOf(text), cwd: text, uid: count }, ['args', 'cwd']),
    mounts: listOf(fields({ destination: text, type: text, source: text, options: listOf(text) }, ['destination'])),
    limits: mapOf(scalar),
    masked: listOf(text),
  },
  ['version', 'root'],
)

class Fields extends Uint8Array {
  readonly #view = new DataView(this.buffer, this.byteOffset, this.byteLength)

  set64(at: number, value: number | bigint): this {
    this.#view.setBigInt64(at, BigInt.asIntN(64, BigInt(value)), true)
    return this
  }

  u64(at: number): bigint {
    return this.#view.getBigUint64(at, true)
  }
}

class Bytes {
  constructor(
    readonly offset: number,
    readonly length: number,
    readonly show: () => string,
  ) {}
}

interface Step {
  readonly what: string
  readonly call: string
  readonly args: readonly (number | Bytes)[]
  readonly ignore?: readonly Errno[]
}

class Plan {
  readonly steps: Step[] = []
  readonly #pieces: Uint8Array[] = []
  readonly #known = new Map<string, Bytes>()
  #size = 40

  text(value: string): Bytes {
    const found = this.#known.get(value)
    if (found) return found
    const bytes = new Uint8Array(engine.encode(`${value}\0`))
    const placed = new Bytes(this.#size, bytes.length, () => JSON.stringify(value))
    this.#pieces.push(bytes)
    this.#size += (bytes.length + 7) & ~7
    this.#known.set(value, placed)
    return placed
  }

  add(what: string, call: string, args: Step['args'], options: Partial<Step> = {}): this {
    this.steps.push({ what, call, args, ...options })
    return this
  }

  get data(): Uint8Array {
    const all = new Uint8Array(this.#size)
    let at = 40
    for (const piece of this.#pieces) {
      all.set(piece, at)
      at += (piece.length + 7) & ~7
    }
    return all
  }
}

function flagsOf(options: readonly string[]): { flags: number; data: string } {
  let flags = 0
  const rest: string[] = []
  for (const option of options) {
    const found = mountFlags[option]
    if (found === undefined) rest.push(option)
    else flags = found[1] ? flags & ~found[0] : flags | found[0]
  }
  return { flags, data: rest.join(',') }
}

function normalize(path: string): string {
  const parts: string[] = []
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue
    if (part === '..') parts.pop()
    else parts.push(part)
  }
  return `/${parts.join('/')}`
}

function planMounts(plan: Plan, { mounts, root }: Document): void {
  const seen = new Set<string>()
  mounts.forEach(({ destination, type, source, options = [] }, index) => {
    const { flags, data } = flagsOf(options)
    const target = normalize(`${root.path}/${destination}`)
    const again = seen.has(target) ? 'again' : 'first'
    seen.add(target)
    plan.add(`make ${destination}`, 'mkdirat', [index, plan.text(target), 0o755], { ignore: ['EEXIST'] })
    plan.add(`mount ${destination} (${again})`, 'mount', [
      plan.text(source),
      plan.text(target),
      plan.text(type),
      flags,
      plan.text(data),
    ])
  })
}

function planProcess(plan: Plan, { process, limits, masked }: Document): void {
  for (const path of masked) plan.add(`mask ${path}`, 'mount', [plan.text(path), 0], { ignore: ['ENOENT', 'ENOTDIR'] })
  for (const [name, value] of Object.entries(limits)) {
    const number = typeof value === 'number' ? value : Number.parseInt(String(value), 10)
    plan.add(`limit ${name}`, 'prlimit64', [0, Number.isNaN(number) ? -1 : number])
  }
  const [file = ''] = process.args
  const path = process.env.find((entry) => entry.startsWith('PATH='))?.slice(5) ?? '/bin'
  const candidates = file.includes('/') ? [file] : path.split(':').map((directory) => `${directory}/${file}`)
  for (const candidate of candidates) plan.add('execute process.args', 'execve', [plan.text(candidate), process.uid])
}

function compile({ data, steps }: Plan): Uint32Array {
  const words = new Uint32Array(data.length / 4 + steps.length * 22)
  words.set(new Uint32Array(data.buffer))
  steps.forEach(({ args, ignore }, index) => {
    const at = data.length / 4 + index * 22
    for (let i = 0; i < args.length; i++) {
      const arg = args[i] as number | Bytes
      const value = typeof arg === 'number' ? arg : 2 ** 32 + arg.offset
      words[at + 2 + 2 * i] = value
      words[at + 3 + 2 * i] = Math.floor(value / 2 ** 32)
    }
    words[at + 1] = args.reduce<number>((flags, arg, i) => (arg instanceof Bytes ? flags | (1 << i) : flags), 0)
    for (const name of ignore ?? []) words[at + 14] = (words[at + 14] ?? 0) | (1 << (errnos[name] & 31))
  })
  return words
}

function* print({ steps }: Plan): Generator<string> {
  const width = String(steps.length).length
  for (const [index, { what, call, args, ignore }] of steps.entries()) {
    const shown = args.map((arg) => (arg instanceof Bytes ? arg.show() : `0x${arg.toString(16)}`)).join(', ')
    yield `${String(index).padStart(width)} ${what}: ${call}(${shown})${ignore ? `  [not ${ignore.join(' or ')}]` : ''}`
  }
}

function callKernel(path: string): string {
  const buffer = new Fields(64).set64(8, -1n)
  engine.syscall(getppid)
  const length = engine.syscall(readlinkat, -100, path, buffer, buffer.length)
  const name = length < 0 ? (names.get(-length) ?? String(length)) : engine.decode(buffer.subarray(0, length))
  return `${name} ${buffer.u64(8) >> 60n} ${engine.address(buffer) > 0}`
}

function documentOf(name: string): Document {
  const mounts = [
    'proc',
    'dev',
    'dev/pts',
    'dev/shm',
    'dev/mqueue',
    'sys',
    `run/${name}`,
    'sys/fs/cgroup',
    '../etc/hosts',
  ]
  return {
    version: '1.2.0',
    root: { path: 'rootfs', readonly: true },
    process: {
      args: ['sh', '-c', `echo "${name}"\t\u00e9`],
      env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'TERM=xterm', ...engine.environment],
      cwd: '/',
      uid: 0,
    },
    mounts: mounts.map((path, index) => ({
      destination: `/${path}`,
      type: index % 3 === 0 ? 'tmpfs' : 'bind',
      source: path.replace(/.*\//, ''),
      options: ['nosuid', 'noexec', index % 2 === 0 ? 'nodev' : 'ro', `size=${index}k`, 'mode=755'],
    })),
    limits: {
      nofile: 1024,
      memory: 1 << 29,
      shares: '512',
      period: 1e5,
      quota: 25_000,
      oom: true,
    },
    masked: ['acpi', 'kcore', 'keys', 'latency_stats', 'timer_list', 'sched_debug', 'scsi'].map(
      (file) => `/proc/${file}`,
    ),
  }
}

function messageOf(error: unknown): string {
  return error instanceof DocumentError ? error.message.replace(/\s+/g, ' ').trim() : 'something else'
}

function refused(document: object): string {
  try {
    checkDocument(document, [])
    return 'nothing'
  } catch (error) {
    return messageOf(error)
  } finally {
    names.delete(-1)
  }
}

/** Everything, once; what it returns says that it was done. */
export async function work(name: string): Promise<string> {
  const bytes = new Uint8Array(engine.encode(JSON.stringify(documentOf(name), null, 2)))
  const document = JSON.parse(engine.decode(bytes)) as Document
  checkDocument(document, [])
  const plan = new Plan()
  planMounts(plan, document)
  planProcess(plan, document)
  const words = await Promise.resolve(compile(plan))
  const lines = [...print(plan)]
  const failures = [refused({ ...document, root: {} }), refused({ ...document, masked: [1] })]
  const sum = words.reduce((sum, word) => (sum + word) % 65_521, 0)
  return `${lines.join('\n').length} ${sum} ${failures.join('; ')} ${callKernel('/proc/no such file')}`
}
