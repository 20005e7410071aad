/** User namespaces: whether they can be made, whether this program is in one, and the ids that engines hand out. */
import { type Finding, ok, orOk, problem, warning } from './finding.ts'
import { hostLine, hostText } from './host-text.ts'

/** Of whom CRI-O and podman take ids for pods with a user namespace of their own. */
const OWNER = 'containers'

export function idMapFindings(): readonly Finding[] {
  return [
    ...judgeUserNamespaces(hostLine('/proc/sys/user/max_user_namespaces'), hostLine('/proc/self/uid_map')),
    judgeSubordinate([
      ['/etc/subuid', hostText('/etc/subuid')],
      ['/etc/subgid', hostText('/etc/subgid')],
    ]),
  ]
}

/** PURE. */
export function judgeUserNamespaces(most: string, uidMap: string): readonly Finding[] {
  const name = 'user namespaces'
  const findings: Finding[] = []
  if (most === '0')
    findings.push(warning(name, 'none may be made', 'raise user.max_user_namespaces (sysctl) for containers with one'))
  const [inside, outside, count] = uidMap.split(/\s+/).map(Number)
  if (uidMap !== '' && !(inside === 0 && outside === 0 && count === 2 ** 32 - 1))
    findings.push(
      problem(
        name,
        `this program is in one (uid map ${uidMap.replace(/\s+/g, ' ')})`,
        'run crio-lxc as root of the host: rootless containers are not supported',
      ),
    )
  return orOk(findings, name, `up to ${most || 'any number'}`)
}

/** PURE. Lines of subuid(5): `NAME:FIRST:COUNT`. */
export function judgeSubordinate(files: readonly (readonly [string, string | undefined])[]): Finding {
  const counts = files.map(([path, text = '']) => ({ path, ...rangeOf(text) }))
  const broken = counts.find(({ bad }) => bad !== undefined)
  if (broken)
    return problem('subids', `${broken.path}: ${JSON.stringify(broken.bad)}`, `write the line as ${OWNER}:FIRST:COUNT`)
  const [uids = 0, gids = 0] = counts.map(({ count }) => count)
  if (uids === 0 && gids === 0)
    return ok('subids', `none of ${OWNER}: only user namespaces chosen by an engine need them`)
  if (uids !== gids)
    return warning(
      'subids',
      `${OWNER} has ${uids} uids and ${gids} gids`,
      'give it as many in /etc/subuid as in /etc/subgid',
    )
  return ok('subids', `${OWNER} has ${uids}`)
}

function rangeOf(text: string): { count: number; bad: string | undefined } {
  const lines = text.split('\n').filter((line) => line.startsWith(`${OWNER}:`))
  const bad = lines.find((line) => !/^[^:]+:\d+:[1-9]\d*\s*$/.test(line))
  const count = lines.reduce((sum, line) => sum + Number(line.split(':')[2] ?? 0), 0)
  return { count: bad === undefined ? count : 0, bad }
}
