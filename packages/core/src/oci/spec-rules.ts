/** What the spec demands beyond types: one function per field, in the order of config.md and config-linux.md. */
import { encode } from '../abi/bytes.ts'
import { SpecError } from '../errors/runtime-error.ts'
import { itemOf } from './field-path.ts'
import { type HookPoint, hookPoints } from './hook-points.ts'
import { checkIdMappedMounts } from './id-mapped-mounts.ts'
import { checkMappedUser, checkUserNamespace } from './id-mappings.ts'
import type { Device, Linux, MemoryPolicy, NamespaceType } from './linux.ts'
import { checkNamespaceRules, listedNamespaces } from './namespace-rules.ts'
import { checkNetDevices } from './net-device-rules.ts'
import { parseNumberList } from './number-list.ts'
import { OCI_MAJOR } from './oci-version.ts'
import { checkPathCost } from './path-cost.ts'
import { checkAttributeRules } from './process-rules.ts'
import type { Hooks, Mount, Process, Rlimit, Spec } from './spec.ts'
import { checkSysctlNames } from './sysctl-rules.ts'
import { checkTimeOffsets } from './time-rules.ts'

/** PATH_MAX with its NUL (limits.h), bytes. */
const PATH_MAX = 4096
/** mount(2) reads one page of options and cuts off what is longer, without an error. */
const MOUNT_DATA_MAX = 4096
/** MAX_ARG_STRLEN with its NUL: execve(2) takes no longer argument or variable, on pages of 4096 bytes. */
const ARG_STRLEN_MAX = 131072
/** struct utsname, bytes without the NUL. */
const HOST_NAME_MAX = 64
/** setgroups(2). */
const NGROUPS_MAX = 65536
/** More than the kernel mounts in one namespace at a sane speed; a limit for documents made to exhaust the runtime. */
const MAX_LIST = 10_000

/** Throws a SpecError for the first rule that the (type-checked) spec breaks. */
export function checkSpecRules(spec: Spec): void {
  checkVersion(spec.ociVersion)
  checkPath(spec.root.path, 'root.path')
  checkList(spec.mounts, 'mounts', MAX_LIST)
  for (const [index, mount] of (spec.mounts ?? []).entries()) checkMount(mount, itemOf('mounts', index))
  checkIdMappedMounts(spec)
  checkProcessRules(spec.process)
  checkBytes(spec.hostname ?? '', 'hostname', HOST_NAME_MAX)
  checkBytes(spec.domainname ?? '', 'domainname', HOST_NAME_MAX)
  if (Object.hasOwn(spec.annotations ?? {}, '')) throw new SpecError('annotations', 'a key must not be empty')
  checkHooks(spec.hooks ?? {})
  if (spec.linux) checkLinux(spec.linux)
  checkPathCost(spec)
  checkUserIds(spec)
  checkNamespaceRules(spec, listedNamespaces(spec))
}

/** The rules of `process` alone, which `exec --process` shares. */
export function checkProcessRules(process: Process): void {
  const { args, cwd, env, user, rlimits } = process
  if (args.length === 0) throw new SpecError('process.args', 'must name the executable, got an empty array')
  if (args[0] === '')
    throw new SpecError(
      'process.args[0]',
      'must name the executable, got an empty string: executable file not found in $PATH',
    )
  checkAbsolute(cwd, 'process.cwd')
  for (const [index, variable] of (env ?? []).entries()) checkVariable(variable, itemOf('process.env', index))
  checkStrings(args, 'process.args')
  checkStrings(env, 'process.env')
  checkList(user.additionalGids, 'process.user.additionalGids', NGROUPS_MAX)
  checkRlimits(rlimits ?? [])
  checkAttributeRules(process)
}

/** [Specification version]: SemVer 2.0.0, and compatible within a major version. */
function checkVersion(version: string): void {
  const major = /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-[\w.-]+)?(?:\+[\w.-]+)?$/.exec(version)?.[1]
  if (major === undefined) {
    throw new SpecError('ociVersion', `must be a semantic version like "1.3.0", got ${JSON.stringify(version)}`)
  }
  if (major !== OCI_MAJOR) {
    throw new SpecError('ociVersion', `unsupported ociVersion ${version}: this runtime implements ${OCI_MAJOR}.x`)
  }
}

function checkMount({ destination, source, options }: Mount, path: string): void {
  checkPath(destination, `${path}.destination`)
  if (source) checkPath(source, `${path}.source`)
  if (!options) return
  checkBytes(options.join(), `${path}.options`, MOUNT_DATA_MAX - 1)
  checkIdOptions(options, `${path}.options`)
}

/** Options such as uid=, gid= and fuse's user_id=: the kernel says of a number that is nobody's id no more than EINVAL. */
function checkIdOptions(options: readonly string[], field: string): void {
  const found = options.find((option) => {
    const [, text = ''] = /^\w*[ug](?:ser_|roup_)?id=(.*)$/.exec(option) ?? []
    // As the kernel reads a number; of an octal one JavaScript wants to see the letter.
    const id = Number(text.replace(/^0(?=[0-7])/, '0o'))
    return text !== '' && (id === 0xffffffff || id === -1)
  })
  if (found !== undefined)
    throw new SpecError(field, `${JSON.stringify(found)} is nobody's id: an id is from 0 to ${0xfffffffe}`)
}

/** As runc: a name and "=", whatever characters the name has. */
function checkVariable(variable: string, path: string): void {
  const equals = variable.indexOf('=')
  if (equals > 0) return
  throw new SpecError(path, `must be NAME=value, got ${equals === 0 ? 'an empty name' : JSON.stringify(variable)}`)
}

/** What execve(2) would refuse with E2BIG, after all that is done before it. */
function checkStrings(strings: readonly string[] | undefined, field: string): void {
  const index = strings?.findIndex((text) => text.length * 3 >= ARG_STRLEN_MAX) ?? -1
  if (index < 0) return
  for (const [position, text] of (strings ?? []).entries())
    checkBytes(text, itemOf(field, position), ARG_STRLEN_MAX - 1)
}

/** [POSIX-platform Hooks]: the path of a hook is absolute. */
function checkHooks(hooks: Hooks): void {
  for (const point of Object.keys(hookPoints) as HookPoint[]) {
    checkList(hooks[point], `hooks.${point}`, MAX_LIST)
    for (const [index, { path, args, env }] of (hooks[point] ?? []).entries()) {
      const hook = itemOf(`hooks.${point}`, index)
      checkAbsolute(path, `${hook}.path`)
      checkStrings(args, `${hook}.args`)
      checkStrings(env, `${hook}.env`)
    }
  }
}

function checkRlimits(rlimits: readonly Rlimit[]): void {
  for (const [index, { soft, hard }] of rlimits.entries())
    if (soft > hard)
      throw new SpecError(`${itemOf('process.rlimits', index)}.soft`, `must not be above hard (${soft} > ${hard})`)
}

function checkLinux(linux: Linux): void {
  const types = new Set<NamespaceType>()
  for (const [index, { type, path }] of (linux.namespaces ?? []).entries()) {
    const at = itemOf('linux.namespaces', index)
    if (types.has(type)) throw new SpecError(at, `the ${type} namespace is listed twice`)
    types.add(type)
    if (path) checkAbsolute(path, `${at}.path`)
  }
  checkTimeOffsets(linux)
  checkUserNamespace(linux)
  checkDevices(linux.devices ?? [])
  checkNetDevices(linux)
  checkList(linux.resources?.devices, 'linux.resources.devices', MAX_LIST)
  for (const [index, { access }] of (linux.resources?.devices ?? []).entries()) {
    if (access && !/[rwm]/.test(access)) {
      const problem = `must have "r", "w" or "m", got ${JSON.stringify(access)}`
      throw new SpecError(`${itemOf('linux.resources.devices', index)}.access`, problem)
    }
  }
  checkMountLabel(linux.mountLabel ?? '')
  checkList(Object.keys(linux.sysctl ?? {}), 'linux.sysctl', MAX_LIST)
  if (linux.sysctl) checkSysctlNames(linux.sysctl)
  if (linux.memoryPolicy) checkMemoryPolicy(linux.memoryPolicy)
  checkList(linux.seccomp?.architectures, 'linux.seccomp.architectures', MAX_LIST)
  const syscalls = linux.seccomp?.syscalls ?? []
  checkList(
    syscalls.flatMap(({ names }) => names),
    'linux.seccomp.syscalls',
    MAX_LIST,
  )
  for (const field of ['maskedPaths', 'readonlyPaths'] as const) {
    const paths = linux[field] ?? []
    checkList(paths, `linux.${field}`, MAX_LIST)
    for (const [index, path] of paths.entries()) checkAbsolute(path, itemOf(`linux.${field}`, index))
  }
}

/** One that names nothing is the kernel's default. */
function checkMemoryPolicy({ mode, nodes, flags = [] }: MemoryPolicy): void {
  if (nodes) parseNumberList(nodes, 'linux.memoryPolicy.nodes')
  if (!mode && (nodes || flags.length > 0))
    throw new SpecError('linux.memoryPolicy.mode', 'required: nodes and flags are for a mode such as "MPOL_BIND"')
}

/** It stands in quotes among the options of mount(2), where nothing else may begin; `checkText` has refused line breaks. */
function checkMountLabel(label: string): void {
  const found = [...label].find(
    (character) => character === '"' || character === '\\' || character < ' ' || character === '\x7f',
  )
  if (found === undefined) return
  const problem = 'must have no quotes, backslashes and control characters'
  throw new SpecError('linux.mountLabel', `${problem}, got ${JSON.stringify(label)}`)
}

/** Of a user namespace that is joined the ids are known when it is open. */
function checkUserIds({ process: { user }, linux: { uidMappings = [], gidMappings = [] } = {} }: Spec): void {
  if (uidMappings.length > 0 && gidMappings.length > 0) checkMappedUser(user, { uids: uidMappings, gids: gidMappings })
}

/** [Devices]: the same node may be listed twice, two different ones at one path may not. */
function checkDevices(devices: readonly Device[]): void {
  checkList(devices, 'linux.devices', MAX_LIST)
  const nodes = new Map<string, string>()
  for (const [index, { path, type, major, minor }] of devices.entries()) {
    const at = itemOf('linux.devices', index)
    checkAbsolute(path, `${at}.path`)
    if (type !== 'p' && (major === undefined || minor === undefined)) {
      throw new SpecError(`${at}.${major === undefined ? 'major' : 'minor'}`, `required for a device of type ${type}`)
    }
    const node = type === 'p' ? 'p' : `${type === 'u' ? 'c' : type} ${major}:${minor}`
    const other = nodes.get(path)
    if (other !== undefined && other !== node) {
      throw new SpecError(`${at}.path`, `${path} is listed twice, as ${other} and as ${node}`)
    }
    nodes.set(path, node)
  }
}

function checkAbsolute(path: string, field: string): void {
  checkPath(path, field)
  if (!path.startsWith('/')) throw new SpecError(field, `must be an absolute path, got ${JSON.stringify(path)}`)
}

function checkPath(path: string, field: string): void {
  if (path === '') throw new SpecError(field, 'must not be empty')
  checkBytes(path, field, PATH_MAX - 1)
}

/** UTF-8 takes at most three bytes for a UTF-16 code unit: most texts need no counting. */
function checkBytes(text: string, field: string, most: number): void {
  if (text.length * 3 <= most) return
  const bytes = encode(text).length
  if (bytes > most) throw new SpecError(field, `must be at most ${most} bytes, got ${bytes}`)
}

function checkList(list: readonly unknown[] | undefined, field: string, most: number): void {
  const count = list?.length ?? 0
  if (count > most) throw new SpecError(field, `must have at most ${most} items, got ${count}`)
}
