/** 4294967295, the id that means "no change" to system calls: whoever asked for it would stay root. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { requires } from '../../support/requires.ts'
import { isRunc, messageOf } from '../../support/runtime.ts'
import { type Spec, setNamespace } from '../../support/spec.ts'

requires('root')
const t = useContainers()

const NOBODY = 4_294_967_295
/** runc says what is wrong, mostly without the field. */
const named = (field: string) => (isRunc ? /./ : new RegExp(field.replace(/[.[\]]/g, '\\$&')))

const inUserNamespace = (spec: Spec, hostID: number, size: number) => {
  setNamespace(spec, 'user')
  spec.linux.uidMappings = [{ containerID: 0, hostID, size }]
  spec.linux.gidMappings = [{ containerID: 0, hostID: 100_000, size: 1000 }]
}

describe('config.json', () => {
  it.each<[string, (spec: Spec) => unknown]>([
    ['process.user.uid', ({ process }) => Object.assign(process.user, { uid: NOBODY, gid: 1000 })],
    ['process.user.gid', ({ process }) => Object.assign(process.user, { uid: 1000, gid: NOBODY })],
    ['process.user.additionalGids[1]', ({ process }) => Object.assign(process.user, { additionalGids: [5, NOBODY] })],
    [
      'mounts[7].options',
      ({ mounts }) => mounts.push({ destination: '/mnt', type: 'tmpfs', source: 'tmpfs', options: [`uid=${NOBODY}`] }),
    ],
    [
      'mounts[7].options',
      ({ mounts }) => mounts.push({ destination: '/mnt', type: 'tmpfs', source: 'tmpfs', options: ['gid=0xffffffff'] }),
    ],
    [
      'mounts[7].options',
      ({ mounts }) => mounts.push({ destination: '/mnt', type: 'devpts', source: 'devpts', options: ['gid=-1'] }),
    ],
    ['linux.uidMappings[0].hostID', (spec) => inUserNamespace(spec, NOBODY, 1)],
    ['linux.uidMappings[0].hostID', (spec) => inUserNamespace(spec, 4_294_967_000, 296)],
  ])('%s: create fails and leaves nothing', async (field, spec) => {
    const result = await t.run({ args: ['id'], spec })
    expect(result).toMatchObject({ exitCode: 1, stdout: '' })
    expect(messageOf(result)).toMatch(named(field))
    t.expectNothingLeft()
  })

  describe('beyond runc', () => {
    requires('own-runtime')

    // runc 1.1.5 leaves the node to root.
    it.each(['uid', 'gid'])('linux.devices[0].%s is refused', async (name) => {
      const device = { path: '/dev/other', type: 'c', major: 1, minor: 3, [name]: NOBODY }
      const result = await t.run({ spec: (spec) => Object.assign(spec.linux, { devices: [device] }) })
      expect(result.exitCode).toBe(1)
      expect(messageOf(result)).toContain(`linux.devices[0].${name}: must be an integer from 0 to 4294967294`)
      t.expectNothingLeft()
    })
  })
})

describe('exec', () => {
  it.each([`${NOBODY}`, `${NOBODY}:0`, `1000:${NOBODY}`])('--user %s is refused', async (user) => {
    const { id } = await t.running()
    const result = await t.runtime(['exec', '--user', user, id, 'id'])
    expect(result).toMatchObject({ exitCode: 255, stdout: '' })
    expect(messageOf(result)).toMatch(named('--user'))
  })

  it('--additional-gids is refused', async () => {
    const { id } = await t.running()
    const result = await t.runtime(['exec', '--additional-gids', `${NOBODY}`, id, 'id'])
    expect(result).toMatchObject({ exitCode: 255, stdout: '' })
    expect(messageOf(result)).toMatch(named('--additional-gids'))
  })

  it.each(['uid', 'gid'])('a process.json with that %s is refused', async (name) => {
    const { id } = await t.running()
    const file = join(t.hostDirectory(), 'process.json')
    const user = { uid: 1000, gid: 1000, [name]: NOBODY }
    writeFileSync(file, JSON.stringify({ args: ['id'], cwd: '/', env: ['PATH=/bin'], user }))
    const result = await t.runtime(['exec', '--process', file, id])
    expect(result).toMatchObject({ exitCode: 255, stdout: '' })
    expect(messageOf(result)).toMatch(named(`process.user.${name}`))
  })
})
