/** The parts of config.json (runtime-spec config.md, config-linux.md) that the tests write, loosely typed on purpose. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runtimePath } from './runtime.ts'

export interface Mount {
  destination: string
  type?: string
  source?: string
  options?: string[]
  uidMappings?: IdMapping[]
  gidMappings?: IdMapping[]
}

export interface IdMapping {
  containerID: number
  hostID: number
  size: number
}

export interface CapabilitySets {
  bounding?: string[]
  effective?: string[]
  permitted?: string[]
  inheritable?: string[]
  ambient?: string[]
}

export interface Process {
  terminal?: boolean
  consoleSize?: { height: number; width: number }
  user: { uid: number; gid: number; umask?: number; additionalGids?: number[] }
  args: string[]
  env: string[]
  cwd: string
  capabilities?: CapabilitySets
  rlimits?: { type: string; hard: number; soft: number }[]
  noNewPrivileges?: boolean
  oomScoreAdj?: number
  scheduler?: {
    policy: string
    nice?: number
    priority?: number
    flags?: string[]
    runtime?: number
    deadline?: number
    period?: number
  }
  ioPriority?: { class: string; priority?: number }
  execCPUAffinity?: { initial?: string; final?: string }
  apparmorProfile?: string
  selinuxLabel?: string
}

export interface Device {
  path: string
  type: string
  major?: number
  minor?: number
  fileMode?: number
  uid?: number
  gid?: number
}

export interface DeviceRule {
  allow: boolean
  access: string
  type?: string
  major?: number
  minor?: number
}

export interface IdMapping {
  containerID: number
  hostID: number
  size: number
}

export interface Linux {
  namespaces: { type: string; path?: string }[]
  uidMappings?: IdMapping[]
  gidMappings?: IdMapping[]
  cgroupsPath?: string
  resources: {
    devices?: DeviceRule[]
    pids?: { limit: number }
    memory?: Record<string, unknown>
    cpu?: Record<string, unknown>
    blockIO?: Record<string, unknown>
    hugepageLimits?: { pageSize: string; limit: number }[]
    rdma?: Record<string, unknown>
    network?: Record<string, unknown>
    unified?: Record<string, string>
  }
  maskedPaths?: string[]
  readonlyPaths?: string[]
  sysctl?: Record<string, string>
  seccomp?: unknown
  devices?: Device[]
  rootfsPropagation?: string
  timeOffsets?: Record<string, { secs?: number; nanosecs?: number }>
  personality?: { domain: string; flags?: string[] }
  memoryPolicy?: { mode: string; nodes?: string; flags?: string[] }
  netDevices?: Record<string, { name?: string }>
  intelRdt?: Record<string, unknown>
  mountLabel?: string
}

export interface Hook {
  path: string
  args?: string[]
  env?: string[]
  timeout?: number
}

export type HookPoint = 'prestart' | 'createRuntime' | 'createContainer' | 'startContainer' | 'poststart' | 'poststop'

export type Hooks = Partial<Record<HookPoint, Hook[]>>

export interface Spec {
  ociVersion: string
  process: Process
  root: { path: string; readonly?: boolean }
  hostname?: string
  mounts: Mount[]
  hooks?: Hooks
  annotations?: Record<string, string>
  linux: Linux
}

let printed: string | undefined

/** What the runtime's own `spec` command writes, with the terminal off. */
export async function baseSpec(): Promise<Spec> {
  if (printed === undefined) {
    const directory = mkdtempSync(join(tmpdir(), 'runtime-spec-'))
    try {
      execFileSync(runtimePath, ['spec'], { cwd: directory })
      printed = readFileSync(join(directory, 'config.json'), 'utf8')
    } finally {
      rmSync(directory, { recursive: true })
    }
  }
  const spec = JSON.parse(printed) as Spec
  spec.process.terminal = false
  return spec
}

/** Removes the namespaces of these types, so that the container shares the host's. */
export function shareWithHost(spec: Spec, ...types: string[]): void {
  spec.linux.namespaces = spec.linux.namespaces.filter(({ type }) => !types.includes(type))
}

/** Replaces or adds the namespace of this type, new or by path. */
export function setNamespace(spec: Spec, type: string, path?: string): void {
  shareWithHost(spec, type)
  spec.linux.namespaces.push(path === undefined ? { type } : { type, path })
}

/** Adds mounts, the rootfs writable. */
export function withMounts(...mounts: Mount[]): (spec: Spec) => void {
  return (spec) => {
    spec.root.readonly = false
    spec.mounts.push(...mounts)
  }
}

/** Sets these fields of linux.resources beside the others. */
export function withResources(resources: Linux['resources']): (spec: Spec) => void {
  return (spec) => Object.assign(spec.linux.resources, resources)
}

/** Capabilities as a process of root has them: the same bounding, effective and permitted. */
export function capabilitySets(...names: string[]): NonNullable<Process['capabilities']> {
  return { bounding: names, effective: names, permitted: names }
}
