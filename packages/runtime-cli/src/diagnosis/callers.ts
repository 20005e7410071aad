/** The programs that call a runtime: which are here, and whether their configuration names this one. */

import { fileIdentity } from '@crio-lxc/core/host/process/proc'
import { capture } from '@crio-lxc/core/sys/capture'
import { checkExecutable, fileExists } from '@crio-lxc/core/sys/files'
import { type Finding, ok, problem, warning } from './finding.ts'
import { filesIn, hostText } from './host-text.ts'

interface Caller {
  readonly name: string
  readonly program: string
  readonly files: readonly string[]
  /** Directories of further files, which are read in the order of their names. */
  readonly dropIns?: readonly string[]
  /** What says which runtime is taken unless one is asked for. */
  readonly standard: RegExp
}

const callers: readonly Caller[] = [
  {
    name: 'CRI-O',
    program: 'crio',
    files: ['/etc/crio/crio.conf'],
    dropIns: ['/etc/crio/crio.conf.d'],
    standard: /^\s*default_runtime\s*=\s*"([^"]*)"/m,
  },
  {
    name: 'containerd',
    program: 'containerd',
    files: ['/etc/containerd/config.toml'],
    standard: /^\s*default_runtime_name\s*=\s*"([^"]*)"/m,
  },
  {
    name: 'podman',
    program: 'podman',
    files: ['/usr/share/containers/containers.conf', '/etc/containers/containers.conf'],
    dropIns: ['/usr/share/containers/containers.conf.d', '/etc/containers/containers.conf.d'],
    standard: /^\s*runtime\s*=\s*"([^"]*)"/m,
  },
  {
    name: 'Docker',
    program: 'dockerd',
    files: ['/etc/docker/daemon.json'],
    standard: /"default-runtime"\s*:\s*"([^"]*)"/,
  },
]

/** Where packages install to; $PATH is whoever runs this program's. */
const directories = [
  '/usr/local/sbin',
  '/usr/local/bin',
  '/usr/sbin',
  '/usr/bin',
  '/usr/libexec/podman',
  '/usr/libexec/crio',
]

export function callerFindings(): readonly Finding[] {
  const versions = new Map(['conmon', ...callers.map(({ program }) => program)].map((name) => [name, versionOf(name)]))
  const wantsConmon = versions.get('crio') !== undefined || versions.get('podman') !== undefined
  return [
    judgeConmon(versions.get('conmon'), wantsConmon),
    ...callers.flatMap((caller) => {
      const files = [...caller.files, ...(caller.dropIns ?? []).flatMap((directory) => filesIn(directory, '.conf'))]
      const texts = files.flatMap((path) => {
        const text = hostText(path)
        return text === undefined ? [] : [{ path, text }]
      })
      return judgeCaller(caller, { version: versions.get(caller.program), texts, whatIs })
    }),
  ]
}

/** Undefined when it is not installed. One that does not answer is stopped by timeout(1). */
function versionOf(program: string): string | undefined {
  const path = directories.map((directory) => `${directory}/${program}`).find(fileExists)
  if (path === undefined) return undefined
  const env = [`PATH=${directories.join(':')}`, 'HOME=/nonexistent']
  const { stdout } = capture({ path: '/usr/bin/timeout', args: ['timeout', '-k', '1', '5', path, '--version'], env })
  return /\bv?(\d+\.\d+[\w.+~-]*)/.exec(stdout)?.[1] ?? 'of unknown version'
}

type Named = 'missing' | 'this' | 'other'

function whatIs(path: string): Named {
  try {
    checkExecutable(path)
  } catch {
    return 'missing'
  }
  return fileIdentity(path) === fileIdentity('/proc/self/exe') ? 'this' : 'other'
}

function judgeConmon(version: string | undefined, wanted: boolean): Finding {
  if (version !== undefined) return ok('conmon', version)
  return wanted ? warning('conmon', 'not found', 'install conmon: CRI-O and podman need it') : ok('conmon', 'not found')
}

interface Configured {
  readonly version: string | undefined
  readonly texts: readonly { readonly path: string; readonly text: string }[]
  readonly whatIs: (path: string) => Named
}

/** PURE but for `whatIs`. */
export function judgeCaller(
  { name, standard }: Pick<Caller, 'name' | 'standard'>,
  { version, texts, whatIs }: Configured,
): readonly Finding[] {
  const here = version ?? 'not found'
  const named = texts.flatMap(({ path, text }) =>
    runtimesIn(text).map((runtime) => ({ path, runtime, is: whatIs(runtime) })),
  )
  const missing = named.filter(({ is }) => is === 'missing')
  if (missing.length > 0 && version !== undefined)
    return missing.map(({ path, runtime }) =>
      problem(
        name,
        `${version}; ${path} names ${runtime}, which is no program`,
        'correct the path, or install it there',
      ),
    )
  if (missing[0] !== undefined)
    return [ok(name, `${here}; ${missing[0].path} names ${missing[0].runtime}, which is no program`)]
  const other = named.find(({ is }) => is === 'other')
  if (other) {
    const { path, runtime } = other
    return [warning(name, `${here}; ${path} names another crio-lxc, ${runtime}`, `look there: ${runtime} check`)]
  }
  const [first] = named
  if (first === undefined) return [ok(name, version === undefined ? here : `${version}; does not name crio-lxc`)]
  const last = texts.flatMap(({ text }) => standard.exec(withoutComments(text))?.[1] ?? []).at(-1)
  return [ok(name, `${here}; ${first.path} names this program${last === 'crio-lxc' ? ', the default' : ''}`)]
}

/** Of CRI-O, containerd and an option in JSON: what follows is a directory of states, which has our name by default. */
const ROOT = /\b(?:runtime_root|Root)\s*=\s*$|"--root"\s*,\s*$/

/** The absolute paths of programs called crio-lxc in TOML or JSON. PURE. */
export function runtimesIn(text: string): string[] {
  const settings = withoutComments(text)
  const strings = [...settings.matchAll(/"((?:[^"\\\n]|\\.)*)"|'([^'\n]*)'/g)]
  const paths = strings.flatMap(({ 1: double, 2: single, index }) =>
    ROOT.test(settings.slice(Math.max(0, index - 64), index)) ? [] : [double ?? single ?? ''],
  )
  return [...new Set(paths.filter((path) => /^\/.*\/crio-lxc$/.test(path)))]
}

function withoutComments(text: string): string {
  return text.replace(/^\s*#.*$/gm, '')
}
