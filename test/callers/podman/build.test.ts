/** `podman build`: buildah makes a config.json for each RUN and calls `create`, `start`, `state`, `kill`, `delete` itself. */
import { copyFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { runtimePath } from '../../support/runtime.ts'
import { rootfsArchive } from '../support/image-archive.ts'
import { type PodmanResult, usePodman } from '../support/podman.ts'

const podman = usePodman()
let context = ''

beforeAll(async () => {
  context = podman.hostDirectory()
  const archive = await rootfsArchive(podman.hostDirectory())
  copyFileSync(archive, join(context, 'rootfs.tar'))
  writeFileSync(join(context, 'file'), 'of the context')
})

/** Builds `image` of a Containerfile; every build has a cgroup of its own, which buildah uses for the container itself. */
function build(image: string, lines: readonly string[], flags: readonly string[] = []): Promise<PodmanResult> {
  const place = ['--network', 'none', '--cgroup-parent', `${podman.cgroupParent}/${podman.name()}`]
  const file = join(podman.hostDirectory(), 'Containerfile')
  writeFileSync(file, lines.join('\n'))
  return podman.call(['build', '--isolation', 'oci', ...place, '--tag', image, '--file', file, ...flags, context])
}

describe('podman build', () => {
  it('FROM scratch, with RUN steps as root and as a user, makes an image that runs', async () => {
    const result = await build('built', [
      'FROM scratch',
      'ADD rootfs.tar /',
      'ENV PATH=/bin WHAT=built',
      'RUN echo $WHAT > /result && hostname >> /result && mkdir -m 1777 /work',
      'WORKDIR /work',
      'USER user',
      'RUN id -un > mine; grep -E "^(Seccomp|CapEff):" /proc/self/status > status',
      'CMD ["cat", "/result", "mine", "status"]',
    ])
    expect(result, result.stderr).toMatchObject({ exitCode: 0 })
    const run = podman.runArguments(['--rm'], []).map((arg) => (arg === podman.image ? 'built' : arg))
    expect(await podman.ok(run)).toMatch(/^built\n\w+\nuser\nCapEff:\t0{16}\nSeccomp:\t2$/)
  })

  it('RUN --mount: a temporary file system, the context, a secret', async () => {
    const secret = join(podman.hostDirectory(), 'secret')
    writeFileSync(secret, 'not for the image')
    const mounts = ['type=tmpfs,target=/t', 'type=bind,target=/context', 'type=secret,id=it,target=/secret']
    const run = mounts.map((mount) => `--mount=${mount}`).join(' ')
    const result = await build(
      'mounted',
      [
        `FROM ${podman.image}`,
        `RUN ${run} cat /context/file /secret; touch /t/a && grep -c ' /t tmpfs ' /proc/mounts; touch /context/a || true`,
      ],
      ['--secret', `id=it,src=${secret}`],
    )
    expect(result, result.stderr).toMatchObject({ exitCode: 0 })
    expect(result.stdout).toContain('of the contextnot for the image1\n')
    expect(result.stderr).toContain('Read-only file system')
  })

  it('limits, capabilities and hosts of the build hold in RUN', async () => {
    const script = 'ulimit -Sn; grep " /dev/shm " /proc/mounts; grep CapEff /proc/self/status; grep added /etc/hosts'
    const limits = ['--ulimit', 'nofile=200:300', '--shm-size', '3m', '--memory', '64m', '--cpu-shares', '512']
    const flags = [...limits, '--cap-add', 'NET_ADMIN', '--add-host', 'added:1.2.3.4', '--network', 'host']
    const result = await build('limited', [`FROM ${podman.image}`, `RUN ${script}`], flags)
    expect(result, result.stderr).toMatchObject({ exitCode: 0 })
    // podman 5 gives fewer than 4: no AUDIT_WRITE, MKNOD and NET_RAW.
    expect(result.stdout).toMatch(/200\nshm .*size=3072k.*\nCapEff:\t00000000(a80435fb|800415fb)\n1\.2\.3\.4\tadded/)
  })

  it('a RUN that fails ends it with its exit code', async () => {
    expect(await build('failed', [`FROM ${podman.image}`, 'RUN exit 7'])).toMatchObject({ exitCode: 7 })
  })

  it('a program that is missing is named', async () => {
    const { exitCode, stderr } = await build('failed', [`FROM ${podman.image}`, 'RUN ["/no-such-program"]'])
    expect(exitCode).not.toBe(0)
    expect(stderr).toMatch(/"\\?"?\/no-such-program\\?"?.*no such file or directory/)
    expect(stderr).toContain(runtimePath)
  })
})
