/** The installation: every file is there, root's alone to change, and of one build. */

import { codeOf } from '@crio-lxc/core/errors/system-error'
import { capture } from '@crio-lxc/core/sys/capture'
import { close } from '@crio-lxc/core/sys/fd'
import { fileExists, O_RDONLY, openFile, realPath, stat, unlessMissing } from '@crio-lxc/core/sys/files'
import { programProblem, stageProblem } from '../installation/installation.ts'
import { monitorLiblxc } from '../installation/monitor-liblxc.ts'
import { type Programs, programsOf } from '../installation/programs.ts'
import type { Settings } from '../settings.ts'
import { builtCommit, builtVersion } from '../version.ts'
import { type Finding, ok, orOk, problem, warning } from './finding.ts'
import { hostText } from './host-text.ts'

const WRITABLE_BY_OTHERS = 0o022

export function installationFindings(settings: Settings): readonly Finding[] {
  const programs = programsOf(settings)
  const own = realPath('/proc/self/exe')
  const paths = [own, programs.monitor, programs.executor, `${programs.stage}/init`, programs.hook]
  const closed = paths.filter(isClosed)
  const files = [...closedFindings(closed), ...paths.filter((path) => !closed.includes(path)).flatMap(fileFindings)]
  const stage = stageProblem(programs)
  const directories = [own.replace(/\/[^/]*$/, ''), programs.libexec, programs.stage].flatMap(ownerFinding)
  const all = [...files, ...directories, ...(stage === undefined ? [] : [split('files', stage)])]
  return [
    ok('crio-lxc', [builtVersion(), builtCommit().slice(0, 12), own].filter(Boolean).join(' ')),
    ...orOk(all, 'files', `${paths.length} programs and the stage, below ${programs.libexec}`),
    sameBuild(own, programs),
    liblxc(programs.monitor),
  ]
}

function fileFindings(path: string): Finding[] {
  const found = programProblem(path)
  return found === undefined ? ownerFinding(path) : [split('files', found)]
}

/** A program may be executed by whoever cannot read it. */
function closedFindings(closed: readonly string[]): Finding[] {
  if (closed.length === 0) return []
  return [warning('files', `${closed.join(', ')} cannot be read`, 'run check as root with CAP_DAC_OVERRIDE')]
}

function isClosed(path: string): boolean {
  try {
    close(openFile(path, O_RDONLY))
    return false
  } catch (error) {
    return codeOf(error) === 'EACCES'
  }
}

/** A sentence of the installation's ends with what to do. */
function split(name: string, sentence: string): Finding {
  const at = sentence.lastIndexOf(': ')
  return problem(name, sentence.slice(0, at), sentence.slice(at + 2))
}

/** Whoever may write there decides what root runs. */
function ownerFinding(path: string): Finding[] {
  const status = unlessMissing(() => stat(path))
  if (status === undefined) return []
  if (status.uid !== 0) return [problem('files', `${path} belongs to user ${status.uid}`, `chown root:root ${path}`)]
  if ((status.mode & WRITABLE_BY_OTHERS) === 0) return []
  return [problem('files', `others than root may write to ${path}`, `chmod go-w ${path}`)]
}

const SUMS = 'SHA256SUMS'
const SHA256SUM = '/usr/bin/sha256sum'

/** Of the programs that the build made; what the settings name in their place is the operator's own. */
function sameBuild(own: string, { libexec }: Programs): Finding {
  const list = hostText(`${libexec}/${SUMS}`)
  if (list === undefined) return problem('build', `${libexec}/${SUMS} is missing`, 'install the whole tree again')
  if (!fileExists(SHA256SUM)) return ok('build', `not compared: there is no ${SHA256SUM}`)
  const paths = parseSums(list).map(({ sum, name }) => ({
    sum,
    path: name === 'crio-lxc' ? own : `${libexec}/${name}`,
  }))
  const { stdout } = capture({ path: SHA256SUM, args: ['sha256sum', '--', ...paths.map(({ path }) => path)], env: [] })
  const now = new Map(parseSums(stdout).map(({ sum, name }) => [name, sum]))
  const others = paths.filter(({ sum, path }) => now.get(path) !== sum).map(({ path }) => path)
  if (others.length > 0 && others.every(isClosed))
    return ok('build', `not compared: ${others.join(', ')} cannot be read`)
  if (paths.length > 0 && others.length === 0) return ok('build', `${paths.length} programs of one build`)
  return problem('build', `${others.join(', ') || SUMS} is of another build`, 'install the whole tree again')
}

/** Lines of sha256sum(1). PURE. */
export function parseSums(text: string): { readonly sum: string; readonly name: string }[] {
  return [...text.matchAll(/^([0-9a-f]{64}) [ *](.+)$/gm)].map(([, sum = '', name = '']) => ({ sum, name }))
}

function liblxc(start: string): Finding {
  if (!fileExists(start)) return warning('liblxc', 'unknown', 'install the whole tree again')
  const { version, extensions, problem: sentence } = monitorLiblxc(start)
  if (sentence !== undefined) return split('liblxc', sentence)
  if (version === undefined) return ok('liblxc', 'loaded; its version is unknown')
  return ok('liblxc', `${version}, ${extensions.length} API extensions (crio-lxc features names them)`)
}
