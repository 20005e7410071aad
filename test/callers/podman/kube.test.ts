/** `podman play kube`: a pod from Kubernetes' YAML, with podman's own pause image. */
import { existsSync, readdirSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readCgroup } from '../../support/cgroup-files.ts'
import { cgroupMounts, namespaceOf } from '../../support/proc.ts'
import { elf } from '../../support/refused-programs.ts'
import { usePodman } from '../support/podman.ts'

const podman = usePodman()
const MiB = 1 << 20

/** podman 4.3 puts the pods of a file below this cgroup, whatever it is told. */
const parents = Object.values(cgroupMounts()).map((mount) => join(mount, 'libpod_parent'))
const strays = parents.filter((directory) => !existsSync(directory))
afterAll(() => {
  for (const directory of strays)
    if (existsSync(directory) && readdirSync(directory, { withFileTypes: true }).every((entry) => !entry.isDirectory()))
      rmdirSync(directory)
})

describe('a pod', () => {
  const file = join(podman.directory, 'pod.yaml')
  const pod = podman.name()
  let pid = 0

  beforeAll(async () => {
    const host = podman.hostDirectory()
    writeFileSync(join(host, 'in'), 'of the host\n')
    const image = { image: `localhost/${podman.image}`, imagePullPolicy: 'Never' }
    const path = { name: 'PATH', value: '/bin' }
    const shared = { name: 'shared', mountPath: '/shared' }
    const spec = {
      hostname: 'of-the-pod',
      restartPolicy: 'Never',
      volumes: [
        { name: 'shared', emptyDir: {} },
        { name: 'host', hostPath: { path: host } },
      ],
      initContainers: [
        {
          ...image,
          name: 'init',
          env: [path],
          command: ['sh', '-c', 'echo initialised > /shared/note'],
          volumeMounts: [shared],
        },
      ],
      containers: [
        {
          ...image,
          name: 'main',
          command: [
            'sh',
            '-c',
            'cat /shared/note /host/in; hostname; id -u; echo $A; touch /new; trap exit TERM; sleep 1000 & wait',
          ],
          env: [path, { name: 'A', value: 'b' }],
          resources: { limits: { memory: '64Mi', cpu: '500m' } },
          securityContext: { runAsUser: 1000, readOnlyRootFilesystem: true, capabilities: { drop: ['CHOWN'] } },
          volumeMounts: [shared, { name: 'host', mountPath: '/host', readOnly: true }],
          livenessProbe: { exec: { command: ['test', '-e', '/shared/note'] }, initialDelaySeconds: 600 },
        },
        {
          ...image,
          name: 'other',
          env: [path],
          command: ['sh', '-c', 'trap exit TERM; sleep 1000 & wait'],
          volumeMounts: [shared],
        },
      ],
    }
    // podman 4.3 removes an init container of the other type while it takes it for running, with any runtime.
    const annotations = { 'io.podman.annotations.init.container.type': 'always' }
    // JSON is YAML.
    writeFileSync(file, JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name: pod, annotations }, spec }))
    await podman.ok(['play', 'kube', '--network', 'none', file])
    pid = (await podman.state(`${pod}-main`)).Pid
  })

  it('has its init container, volumes, environment, user and root as the file says', async () => {
    await podman.waitForLog(`${pod}-main`, 'b')
    const { stdout, stderr } = await podman.call(['logs', `${pod}-main`])
    expect(stdout).toBe('initialised\nof the host\nof-the-pod\n1000\nb')
    expect(stderr).toContain('/new: Read-only file system')
  })

  it('has the limits of the file, and shares what the containers of a pod share', async () => {
    expect(readCgroup(pid, 'memory', 'memory.limit_in_bytes', 'memory.max')).toBe(`${64 * MiB}`)
    expect(readCgroup(pid, 'cpu', 'cpu.cfs_quota_us', 'cpu.max')).toMatch(/^50000( 100000)?$/)
    const other = (await podman.state(`${pod}-other`)).Pid
    const shared = ['pid', 'net', 'ipc', 'uts', 'mnt'].filter(
      (kind) => namespaceOf(pid, kind) === namespaceOf(other, kind),
    )
    expect(shared).toEqual(['net', 'ipc', 'uts'])
  })

  it('has a probe that podman healthcheck runs', async () => {
    await podman.ok(['healthcheck', 'run', `${pod}-main`])
    await podman.ok(['exec', `${pod}-other`, 'rm', '/shared/note'])
    expect((await podman.call(['healthcheck', 'run', `${pod}-main`])).exitCode).toBe(1)
  })

  it('is paused, restarted and described as a whole', async () => {
    await podman.ok(['pod', 'pause', pod])
    expect((await podman.state(`${pod}-other`)).Status).toBe('paused')
    await podman.ok(['pod', 'unpause', pod])
    await podman.ok(['pod', 'restart', pod])
    expect((await podman.state(`${pod}-main`)).Status).toBe('running')
    const described = await podman.ok(['generate', 'kube', pod])
    expect(described).toContain('mountPath: /shared')
    expect(described).toMatch(/memory: 64Mi/)
  })

  it('is taken down and leaves no trace', async () => {
    const ids = await podman.ok(['ps', '--all', '--no-trunc', '--filter', `pod=${pod}`, '--format', '{{.ID}}'])
    await podman.ok(['play', 'kube', '--down', file])
    expect(await podman.ok(['pod', 'ps', '--quiet'])).toBe('')
    expect(ids.split('\n')).toHaveLength(4)
    await podman.expectNothingLeft(...ids.split('\n'))
  })
})

it('a container whose program the kernel refuses has exited, and its log says why', async () => {
  const directory = podman.hostDirectory()
  writeFileSync(join(directory, 'foreign'), elf({ machine: 'foreign' }), { mode: 0o755 })
  const pod = podman.name()
  const container = {
    name: 'main',
    image: `localhost/${podman.image}`,
    imagePullPolicy: 'Never',
    command: ['/opt/foreign'],
    volumeMounts: [{ name: 'opt', mountPath: '/opt' }],
  }
  const volumes = [{ name: 'opt', hostPath: { path: directory } }]
  const spec = { restartPolicy: 'Never', volumes, containers: [container] }
  const file = join(directory, 'pod.yaml')
  writeFileSync(file, JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name: pod }, spec }))
  await podman.ok(['play', 'kube', '--network', 'none', file])
  await podman.ok(['wait', `${pod}-main`])
  expect((await podman.state(`${pod}-main`)).ExitCode).toBe(1)
  expect((await podman.call(['logs', `${pod}-main`])).stderr).toMatch(/exec format error/)
  await podman.ok(['play', 'kube', '--down', file])
})
