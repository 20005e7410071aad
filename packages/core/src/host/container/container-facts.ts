/** What the files of a container's runtime directory say, and which of them a reader accepts. */

import { RuntimeError } from '../../errors/runtime-error.ts'
import type { Namespace } from '../../oci/linux.ts'
import type { Hooks } from '../../oci/spec.ts'
import type { StepMeaning } from '../../plan/plan.ts'
import type { SystemdUnits } from '../cgroup/cgroup-manager.ts'
import type { ProcessIdentity } from '../process/proc.ts'
import type { ResctrlFacts } from '../resctrl/plan/group-plan.ts'

/** What container.json holds. */
export interface ContainerFacts {
  readonly containerId: string
  /** RFC 3339, UTC. */
  readonly createdAt: string
  readonly runtimeRoot: string
  readonly bundlePath: string
  readonly consoleSocket?: string
  /** Absolute path of the pid file; absent when the caller wanted none. */
  readonly pidFile?: string
  /** Where a resident monitor lives, below every hierarchy. */
  readonly monitorCgroupDir: string
  /** The container's cgroup, below every hierarchy. */
  readonly cgroupDir: string
  /** It has no cgroup of its own, and cgroupDir does not exist: its processes are those of its pid namespace. */
  readonly withoutCgroup?: true
  /** Absent: the runtime alone manages the container's cgroup. */
  readonly systemdUnits?: SystemdUnits
  readonly seccomp: boolean
  readonly capabilities: boolean
  readonly apparmor: boolean
  readonly cgroupDevices: boolean
  /** `--no-new-keyring`: its processes keep the session keyring of whoever runs the verb. */
  readonly noNewKeyring?: true
  readonly annotations?: Readonly<Record<string, string>>
  readonly namespaces?: readonly Namespace[]
  /** Hooks of the verbs after create; absent when there are none. */
  readonly hooks?: Hooks
  /** The group of linux.intelRdt; absent when there is none. */
  readonly resctrl?: ResctrlFacts
  /** Absolute path of root.path. */
  readonly rootfs: string
  /** User name of who ran create. */
  readonly owner: string
  /** Version of the specification in config.json. */
  readonly ociVersion: string
  /** The create that makes the container: while it lives and there is no init, the container is being created. */
  readonly creator: ProcessIdentity
  /** Device and inode of crio-lxc-init: a process that runs it has not been started. */
  readonly initExecutable: string
  /** Cgroup directories that create made, parents first. */
  readonly madeCgroups: readonly string[]
}

/** What init.json holds; it appears when create has succeeded. */
export interface InitFacts {
  readonly init: ProcessIdentity
  /** liblxc's monitor, in resident mode. */
  readonly monitor?: ProcessIdentity
  /** The cgroup in which init is, is its caller's. */
  readonly withoutCgroup?: true
  /** What the cgroup says of whose it is: one that does not say so is not the container's. Absent: it could not be made to. */
  readonly cgroupMark?: string
  /** Words of the steps that `start` lets init take, by their number in the plan. */
  readonly startSteps: Readonly<Record<string, string>>
  /** What else those of them mean of which there is more to say. */
  readonly startMeanings: Readonly<Record<string, Omit<StepMeaning, 'what'>>>
  /** process.args[0], for the error of a failed start. */
  readonly command: string
  /** Who gets the listener of a seccomp filter that notifies. */
  readonly seccompAgent?: { readonly path: string; readonly metadata?: string }
  /** File in the container that says why its program was not executed. */
  readonly terminationMessage?: TerminationMessageFile
}

/** The path in the container, and which file create has mounted there: decimal numbers of up to 64 bits. */
export interface TerminationMessageFile {
  readonly path: string
  readonly device: string
  readonly inode: string
}

/** Raised when a reader of the version before would do something wrong with the file; a new field does not raise it. */
export const SCHEMA_VERSION = 1

/** For files of older versions: fields that those did not write. */
const defaults = {
  createdAt: '1970-01-01T00:00:00Z',
  monitorCgroupDir: '',
  seccomp: true,
  capabilities: true,
  apparmor: true,
  cgroupDevices: true,
  rootfs: '',
  owner: '',
  ociVersion: '1.0.0',
  // A process that never is: whoever made the container has ended.
  creator: { pid: 0, startTime: 0 },
  initExecutable: '',
  madeCgroups: [],
} as const
const laterFields = Object.keys(defaults)

/**
 * `value` of container.json at `path`: fields that are not known are ignored, those that an older version did not have
 * get what it did without them. Throws RuntimeError `io` for another version or container, or without what delete needs.
 */
export function readContainerFacts(
  value: unknown,
  { path, id, root }: { readonly path: string; readonly id: string; readonly root: string },
): ContainerFacts {
  const refuse = (problem: string): never => {
    throw new RuntimeError('io', `decode ${path}: ${problem}: delete the container with --force`)
  }
  if (!isObject(value)) return refuse('it is not an object')
  const { schemaVersion, containerId, bundlePath, cgroupDir } = value
  if (schemaVersion !== SCHEMA_VERSION)
    return refuse(`it has version ${tell(schemaVersion) ?? 'none'}, and this program knows ${SCHEMA_VERSION}`)
  if (containerId !== id) return refuse(`it is of the container ${tell(containerId) ?? 'without an id'}`)
  if (typeof bundlePath !== 'string' || !isCgroupPath(cgroupDir)) return refuse('bundlePath or cgroupDir is missing')
  const facts = withDefaults(value, root)
  if (!isIdentity(facts.creator) || !isTextList(facts.madeCgroups)) return refuse('creator or madeCgroups is damaged')
  const { resctrl } = facts
  if (resctrl && !(isTextList(resctrl.tasks) && isTextList(resctrl.remove))) return refuse('resctrl is damaged')
  return facts
}

/** Of what is nested nobody knows how deep: JSON.stringify would exhaust the stack. */
function tell(value: unknown): string | undefined {
  return typeof value === 'object' ? '{...}' : JSON.stringify(value)
}

/** A file that this version has written has all of them: nothing is copied. */
function withDefaults(value: Readonly<Record<string, unknown>>, root: string): ContainerFacts {
  let complete = value['runtimeRoot'] !== undefined
  for (let index = 0; complete && index < laterFields.length; index++)
    complete = value[laterFields[index] as string] !== undefined
  return (complete ? value : { ...defaults, runtimeRoot: root, ...value }) as unknown as ContainerFacts
}

/** `value` of init.json at `path`, by the same rules. */
export function readInitFacts(value: unknown, path: string): InitFacts {
  const facts = { startSteps: {}, command: '', ...(value as object) } as Omit<InitFacts, 'startMeanings'>
  if (isIdentity(facts.init) && (facts.monitor === undefined || isIdentity(facts.monitor)))
    return { startMeanings: meaningsOf(facts.startSteps ?? {}), ...facts }
  throw new RuntimeError('io', `decode ${path}: it names no process: delete the container with --force`)
}

/** Older versions did not write any. Of every plan the last step becomes the program. */
function meaningsOf(startSteps: InitFacts['startSteps']): InitFacts['startMeanings'] {
  const last = Object.keys(startSteps).at(-1)
  return last === undefined ? {} : { [last]: { role: 'execute' } }
}

/** The step of that number in init's plan, as init.json has it. */
export function startStep({ startSteps, startMeanings }: InitFacts, number: number): StepMeaning {
  return { what: startSteps[number] ?? `step ${number}`, ...startMeanings[number] }
}

/** Below the mount point of a hierarchy, and never the mount point itself. */
export function isCgroupPath(value: unknown): value is string {
  if (typeof value !== 'string' || !value.startsWith('/')) return false
  const closed = `${value}/`
  return !(closed.includes('//') || closed.includes('/./') || closed.includes('/../'))
}

function isIdentity(value: unknown): value is ProcessIdentity {
  return isObject(value) && isCount(value['pid']) && isCount(value['startTime'])
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function isTextList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((entry) => typeof entry === 'string')
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
