/** What is wrong with the files of the installation: looked for after a failure only, for it costs more than most verbs. */

import type { ErrorCode } from '@crio-lxc/core/errors/codes'
import { codeOf, reasonOf } from '@crio-lxc/core/errors/system-error'
import { machineOf, type ReadAt, readProgramHeader } from '@crio-lxc/core/host/process/program-header'
import { STAGE_INIT, stageDirectories, stageLinks } from '@crio-lxc/core/plan/stage'
import { close, read } from '@crio-lxc/core/sys/fd'
import { fstat, lstat, O_RDONLY, openFile, stat, unlessMissing } from '@crio-lxc/core/sys/files'
import { arch } from '@crio-lxc/core/sys/syscall'
import type { Settings } from '../settings.ts'
import { monitorLiblxc } from './monitor-liblxc.ts'
import { mountOf } from './mount-of.ts'
import { type Programs, programsOf } from './programs.ts'
import { isWholeElf } from './whole-elf.ts'

const AGAIN = 'install the whole tree again'

/** What cannot be opened for another reason, such as too many open files, is no fault of its own. */
const atFault = new Set(['ENOENT', 'ENOTDIR', 'ELOOP', 'EACCES'])

/**
 * One sentence that says which part is not as it must be, and what to do; undefined when nothing is found. `code` is that of
 * the failure. For root: others may not even read the programs.
 */
export function installationProblem(settings: Settings, code: ErrorCode): string | undefined {
  // Without /proc this program does not know where its own file is, and so where the others are.
  if (unlessMissing(() => stat('/proc/self/exe')) === undefined) return undefined
  const programs = programsOf(settings)
  const { executor, monitor, hook, stage, libexec } = programs
  // Create has its own words for a hook program that it cannot hand on to later verbs.
  const paths = [executor, monitor, `${stage}/${STAGE_INIT}`, ...(code === 'create-failed' ? [] : [hook])]
  for (const path of paths) {
    const problem = programProblem(path)
    if (problem !== undefined) return problem
  }
  const problem = stageProblem(programs) ?? mountProblem(libexec)
  return problem === undefined && code === 'liblxc' ? monitorLiblxc(monitor).problem : problem
}

export function programProblem(path: string): string | undefined {
  try {
    const fd = openFile(path, O_RDONLY)
    try {
      return fileProblem(path, fd)
    } finally {
      close(fd)
    }
  } catch (error) {
    const code = codeOf(error) ?? ''
    if (!atFault.has(code)) return undefined
    // Docker and podman take "no such file or directory" for a word about the container's program: exit code 127.
    if (code === 'ENOENT') return `${path} is missing: ${AGAIN}`
    return `open ${path}: ${reasonOf(error)}: ${AGAIN}`
  }
}

function fileProblem(path: string, fd: number): string | undefined {
  const status = fstat(fd)
  if (!status.isFile()) return `${path} is no file: ${AGAIN}`
  if ((status.mode & 0o111) === 0) return `${path} is not executable: ${AGAIN}`
  const readAt: ReadAt = (offset, length) => {
    const bytes = new Uint8Array(length)
    return bytes.subarray(0, read(fd, bytes, offset))
  }
  const header = readProgramHeader(readAt)
  if (header.kind === 'empty') return `${path} is empty: ${AGAIN}`
  // A wrapper that the settings name.
  if (header.kind === 'script') return undefined
  if (header.kind !== 'elf') return `${path} is no program: ${AGAIN}`
  const own = machineOf(arch.name)
  if (header.machine !== own)
    return `${path} is a program for ${header.machine}, and this is ${own}: install the tree for ${own}`
  return isWholeElf(fd) ? undefined : `${path} is cut short: ${AGAIN}`
}

/** The directory that liblxc takes for a rootfs, with the mount points that its steps and ours need. */
export function stageProblem({ stage, libexec }: Programs): string | undefined {
  const directories = [`${libexec}/lxc`, stage, ...stageDirectories.map((name) => `${stage}/${name}`)]
  for (const path of directories) {
    const status = unlessMissing(() => stat(path))
    if (!status?.isDirectory()) return `the directory ${path} is missing: ${AGAIN}`
    if ((status.mode & 0o001) === 0) return `the directory ${path} is closed to others: ${AGAIN}`
  }
  const links = Object.keys(stageLinks).map((name) => `${stage}/${name}`)
  const missing = links.find((path) => unlessMissing(() => lstat(path)) === undefined)
  return missing === undefined ? undefined : `${missing} is missing: ${AGAIN}`
}

export function mountProblem(libexec: string): string | undefined {
  const mount = mountOf(libexec)
  if (!mount?.options.includes('noexec')) return undefined
  return `${libexec} lies on ${mount.point}, which is mounted noexec: mount it exec, or install to another place`
}
