/** dockerd --userns-remap: every container has a user namespace, with ids of the host that /etc/subuid gives to a user. */
import { chownSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { namespaceOf } from '../../support/proc.ts'
import { useDocker } from '../support/docker.ts'

/** In a mount namespace of its own, so that the machine's files stay what they are. */
const withSubordinateIds = `
  for name in subuid subgid; do
    echo daemon:300000:65536 >"$TMPDIR/$name"
    mount --bind "$TMPDIR/$name" /etc/$name
  done
  exec "$0" "$@"`

const docker = useDocker({
  through: ['sh', '-c', `TMPDIR=$(mktemp -d) unshare --mount sh -ec '${withSubordinateIds}' "$0" "$@"`],
  flags: ['--userns-remap', 'daemon'],
})
const sh = (script: string): string[] => ['sh', '-c', script]

it('a container has the ids of the mapping, and what it makes belongs to them', async () => {
  const host = docker.hostDirectory()
  chownSync(host, 300000, 300000)
  const script = 'cat /proc/self/uid_map; id -u; touch /new /volume/new; stat -c %u:%g /new /etc'
  const text = await docker.output(['--volume', `${host}:/volume`], sh(script))
  expect(text.split('\n').map((line) => line.trim().replace(/ +/g, ' '))).toEqual(['0 300000 65536', '0', '0:0', '0:0'])
  expect(statSync(join(host, 'new'))).toMatchObject({ uid: 300000, gid: 300000 })
})

it('exec, limits, devices, a tmpfs and a pid namespace that is shared go with it', async () => {
  const flags = ['--pids-limit', '50', '--device', '/dev/full', '--tmpfs', '/run']
  const name = await docker.detached(flags, ['sleep', '1000'])
  const pid = await docker.pid(name)
  expect(namespaceOf(pid, 'user')).not.toBe(namespaceOf('self', 'user'))
  const { stdout } = await docker.exec(name, sh('id -u; echo > /run/new; ls /run; stat -c %t,%T /dev/full'), [
    '--user',
    '5',
  ])
  expect(stdout).toBe('5\nnew\n1,7')
  const joined = await docker.output(['--pid', `container:${name}`], ['readlink', '/proc/self/ns/pid'])
  expect(joined).toBe(namespaceOf(pid, 'pid'))
  await docker.remove(name)
})

it('--userns host has none', async () => {
  const user = ['readlink', '/proc/self/ns/user']
  expect(await docker.output(['--userns', 'host'], user)).toBe(namespaceOf('self', 'user'))
})
