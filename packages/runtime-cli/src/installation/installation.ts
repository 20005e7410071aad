/** What is wrong with the files of the installation: looked for after a failure only, for it costs more than most verbs. */

import type { ErrorCode } from '@crio-lxc/core/errors/codes'
import { codeOf, reasonOf } from '@crio-lxc/core/errors/system-error'
import { machineOf, type ReadAt, readProgramHeader } from '@crio-lxc/core/host/process/program-header'
import { capture } from '@crio-lxc/core/sys/capture'
import { close, read } from '@crio-lxc/core/sys/fd'
import { fstat, lstat, O_RDONLY, openFile, stat, unlessMissing } from '@crio-lxc/core/sys/files'
import { arch } from '@crio-lxc/core/sys/syscall'
import stageFiles from '../../../init/stage.json' with { type: 'json' }
import type { Settings } from '../settings.ts'
import { type Companions, companionsOf } from './companions.ts'
import { mountOf } from './mount-of.ts'
import { isWholeElf } from './whole-elf.ts'

const AGAIN = 'install the whole tree again'
const OLDEST_LIBLXC = 5

/** What cannot be opened for another reason, such as too many open files, is no fault of its own. */
const atFault = new Set(['ENOENT', 'ENOTDIR', 'ELOOP', 'EACCES'])

/**
 * One sentence that says which part is not as it must be, and what to do; undefined when nothing is found. `code` is that of
 * the failure. For root: others may not even read the programs.
 */
export function installationProblem(settings: Settings, code: ErrorCode): string | undefined {
  // Without /proc this program does not know where its own file is, and so where the others are.
  if (unlessMissing(() => stat('/proc/self/exe')) === undefined) return undefined
  const companions = companionsOf(settings)
  const { init, start, hook, stage, libexec } = companions
  // Create has its own words for a hook program that it cannot hand on to later verbs.
  const programs = [init, start, `${stage}/${stageFiles.init}`, ...(code === 'create-failed' ? [] : [hook])]
  for (const path of programs) {
    const problem = programProblem(path)
    if (problem !== undefined) return problem
  }
  const problem = stageProblem(companions) ?? mountProblem(libexec)
  return problem === undefined && code === 'liblxc' ? liblxcProblem(start) : problem
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
    if (!atFault.has(codeOf(error) ?? '')) return undefined
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
export function stageProblem({ stage, libexec }: Companions): string | undefined {
  const directories = [`${libexec}/lxc`, stage, ...stageFiles.directories.map((name) => `${stage}/${name}`)]
  for (const path of directories) {
    const status = unlessMissing(() => stat(path))
    if (!status?.isDirectory()) return `the directory ${path} is missing: ${AGAIN}`
    if ((status.mode & 0o001) === 0) return `the directory ${path} is closed to others: ${AGAIN}`
  }
  const links = Object.keys(stageFiles.links).map((name) => `${stage}/${name}`)
  const missing = links.find((path) => unlessMissing(() => lstat(path)) === undefined)
  return missing === undefined ? undefined : `${missing} is missing: ${AGAIN}`
}

export function mountProblem(libexec: string): string | undefined {
  const mount = mountOf(libexec)
  if (!mount?.options.includes('noexec')) return undefined
  return `${libexec} lies on ${mount.point}, which is mounted noexec: mount it exec, or install to another place`
}

/** crio-lxc-start itself says which liblxc it is linked with. */
export function liblxcProblem(start: string): string | undefined {
  const { stderr, exit } = capture({ path: start, args: [start], env: [] })
  // A library that has not the version which is asked for ends the loader with 1.
  if (exit === 127 || lacksVersion.test(stderr)) {
    const reason = loaderReason(stderr)
    return `${start} cannot be loaded: ${reason}: ${loaderAdvice(reason)}`
  }
  const version = /^liblxc ((\d+)\S*)/m.exec(stderr)
  if (version === null || Number(version[2]) >= OLDEST_LIBLXC) return undefined
  return `the liblxc of this host is ${version[1]}: ${INSTALL_LIBLXC}`
}

const INSTALL_LIBLXC = 'install liblxc 5.0 or newer (Debian 12: liblxc1, Debian 13: liblxc1t64)'
const lacksVersion = /: version `\S+' not found/

/** ld.so(8): `PROGRAM: error while loading shared libraries: NAME: REASON`, or `symbol lookup error: PROGRAM: ...`. */
function loaderReason(stderr: string): string {
  const line = stderr.trim().split('\n').at(-1) ?? ''
  return line.replace(/^.*?(?:error while loading shared libraries|symbol lookup error): /, '')
}

/** The library at fault may be one that liblxc needs, or the C library. */
function loaderAdvice(reason: string): string {
  if (/liblxc|symbol: lxc_/.test(reason)) return INSTALL_LIBLXC
  if (/version `GLIBC_/.test(reason))
    return 'install a tree that was built with the C library of this host, or with an older one'
  return 'install the package of that library again'
}
