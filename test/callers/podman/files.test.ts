/** Volumes and secrets, and podman's commands that look at the files of a container or make an image of them. */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { usePodman } from '../support/podman.ts'

const podman = usePodman()
const shell = (script: string): string[] => ['sh', '-c', script]

/** A directory of the host with `in` in it. */
function hostDirectory(): string {
  const directory = podman.hostDirectory()
  writeFileSync(join(directory, 'in'), 'of the host\n')
  return directory
}

describe('volumes', () => {
  it('a named one is kept, and has the options of its mount', async () => {
    const name = podman.name()
    await podman.ok(['volume', 'create', name])
    await podman.output(['--volume', `${name}:/v`], shell('echo kept > /v/note'))
    const flags = ['--volume', `${name}:/v:ro,noexec,nosuid,nodev`]
    const script = 'cat /v/note; grep -o " /v .*" /proc/self/mounts; touch /v/new || echo refused'
    const output = await podman.output(flags, shell(script))
    expect(output).toMatch(/^kept\n \/v \w+ ro,nosuid,nodev,noexec,.*\nrefused$/)
    await podman.ok(['volume', 'rm', name])
  })

  it(':O is an overlay, whose changes go away', async () => {
    const directory = hostDirectory()
    const script = 'cat /v/in; echo changed > /v/in; touch /v/new; cat /v/in; ls /v; grep -o " /v overlay" /proc/mounts'
    const output = await podman.output(['--volume', `${directory}:/v:O`], shell(script))
    expect(output).toBe('of the host\nchanged\nin\nnew\n /v overlay')
    expect(readdirSync(directory)).toEqual(['in'])
  })

  it(':O with an upper directory of its own, which stays', async () => {
    const [lower, upper, work] = [hostDirectory(), podman.hostDirectory(), podman.hostDirectory()]
    const volume = ['--volume', `${lower}:/v:O,upperdir=${upper},workdir=${work}`]
    await podman.output(volume, ['touch', '/v/new'])
    expect([readdirSync(lower), readdirSync(upper)]).toEqual([['in'], ['new']])
    expect(await podman.output(volume, ['ls', '/v'])).toBe('in\nnew')
  })

  it('--mount type=image shows the files of an image', async () => {
    const flags = ['--mount', `type=image,source=${podman.image},target=/image`]
    const output = await podman.run(flags, shell('cat /image/data/from-the-image; touch /image/new'))
    expect(output).toMatchObject({ exitCode: 1, stdout: 'kept', stderr: expect.stringContaining('Read-only') })
    const writable = ['--mount', `type=image,source=${podman.image},target=/image,rw=true`]
    expect(await podman.output(writable, shell('touch /image/new && ls /image/new'))).toBe('/image/new')
  })

  it('--rootfs of a directory, and with an overlay on it', async () => {
    const directory = podman.hostDirectory()
    const script = shell('echo $(cat /note) > /tmp/new; cat /tmp/new')
    const name = await podman.detached([], ['true'])
    await podman.ok(['wait', name])
    await podman.ok(['export', '--output', `${directory}.tar`, name])
    await podman.ok(['rm', name])
    const rootfs = join(directory, 'rootfs')
    await podman.unpack(`${directory}.tar`, rootfs)
    writeFileSync(join(rootfs, 'note'), 'of the directory')
    const run = (root: string): Promise<string> =>
      podman.ok(['run', '--rm', '--network', 'none', '--env', 'PATH=/bin', '--rootfs', root, ...script])
    expect(await run(`${rootfs}:O`)).toBe('of the directory')
    expect(readdirSync(join(rootfs, 'tmp'))).toEqual([])
    expect(await run(rootfs)).toBe('of the directory')
    expect(readdirSync(join(rootfs, 'tmp'))).toEqual(['new'])
  })

  it('--mount: propagation, a temporary file system, devpts', async () => {
    const directory = hostDirectory()
    const flags = [
      ...['--mount', `type=bind,src=${directory},target=/bound,ro,bind-propagation=rslave`],
      ...['--mount', 'type=tmpfs,target=/t,tmpfs-size=1m,tmpfs-mode=700', '--mount', 'type=devpts,target=/pts'],
    ]
    const script = 'cat /bound/in; touch /bound/new; grep " /t " /proc/mounts; stat -c %a /t; ls /pts'
    const { stdout, stderr } = await podman.run(flags, shell(script))
    expect(stdout).toMatch(/^of the host\ntmpfs \/t tmpfs rw,.*size=1024k,mode=700.*\n700\nptmx$/)
    expect(stderr).toContain('Read-only file system')
  })
})

it('secrets, as files and as variables', async () => {
  const secret = podman.name()
  const file = join(podman.hostDirectory(), 'secret')
  writeFileSync(file, 'hidden')
  await podman.ok(['secret', 'create', secret, file])
  const flags = [
    ...['--secret', secret, '--secret', `${secret},type=env,target=VARIABLE`],
    ...['--secret', `${secret},uid=1000,mode=0400,target=/tmp/mine`, '--user', '1000'],
  ]
  const script = `cat /run/secrets/${secret}; echo " $VARIABLE"; cat /tmp/mine; stat -c " %a %u" /tmp/mine`
  expect(await podman.output(flags, shell(script))).toBe('hidden hidden\nhidden 400 1000')
  await podman.ok(['secret', 'rm', secret])
})

it('a container whose files change: diff, cp, export, commit, mount, rename, healthcheck', async () => {
  const health = ['--health-cmd', 'test -e /data/healthy', '--health-interval', 'disable']
  const name = await podman.detached(
    health,
    shell('echo changed > /etc/new; rm /data/from-the-image; echo ready; sleep 1000'),
  )
  await podman.waitForLog(name, 'ready')
  expect((await podman.ok(['diff', name])).split('\n')).toEqual(
    expect.arrayContaining(['C /etc', 'A /etc/new', 'D /data/from-the-image']),
  )
  const tree = podman.hostDirectory()
  mkdirSync(join(tree, 'below'))
  writeFileSync(join(tree, 'below/file'), 'copied')
  await podman.ok(['cp', tree, `${name}:/tree`])
  expect(await podman.ok(['exec', name, 'cat', '/tree/below/file'])).toBe('copied')

  expect((await podman.call(['healthcheck', 'run', name])).exitCode).toBe(1)
  await podman.ok(['exec', name, 'touch', '/data/healthy'])
  await podman.ok(['healthcheck', 'run', name])

  await podman.ok(['commit', '--quiet', '--change', 'ENV FROM=commit', name, 'committed'])
  const archive = join(podman.hostDirectory(), 'export.tar')
  await podman.ok(['export', '--output', archive, name])
  await podman.ok(['import', '--quiet', '--change', 'ENV PATH=/bin', archive, 'imported'])
  const read = shell('cat /etc/new /tree/below/file; echo $FROM')
  const runOf = (image: string): string[] => [...podman.runArguments(['--rm'], []).slice(0, -1), image, ...read]
  expect(await podman.ok(runOf('committed'))).toBe('changed\ncopiedcommit')
  expect(await podman.ok(runOf('imported'))).toBe('changed\ncopied')

  await podman.ok(['rename', name, `${name}-renamed`])
  await podman.ok(['restart', '--time', '0', `${name}-renamed`])
  expect(await podman.ok(['exec', `${name}-renamed`, 'cat', '/tree/below/file'])).toBe('copied')
  await podman.ok(['rm', '--force', '--time', '0', `${name}-renamed`])
})
