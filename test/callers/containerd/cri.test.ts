/**
 * Kubernetes' way: containerd's CRI plug-in, told of the runtime by BinaryName in its configuration, and a pod that asks
 * for it by the handler of a RuntimeClass.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readCgroup } from '../../support/cgroup-files.ts'
import { useContainers } from '../../support/containers.ts'
import { cgroupsOf, namespaceOf } from '../../support/proc.ts'
import { runtimePath } from '../../support/runtime.ts'
import { inAnyLibrary, type Profile, verdictOn, verdicts, verdictsOfRunc } from '../../support/verdicts.ts'
import { waitFor } from '../../support/wait-for.ts'
import { Containerd } from '../support/containerd.ts'
import { type ContainerOptions, Cri } from '../support/cri.ts'
import { readLog } from '../support/cri-log.ts'
import { imageName } from '../support/image-archive.ts'

const MiB = 1 << 20
const handler = 'under-test'

const containerd = new Containerd({
  namespace: 'k8s.io',
  configuration: (runtimeRoot) => `[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "${imageName}"
disable_apparmor = true
restrict_oom_score_adj = true
[plugins."io.containerd.grpc.v1.cri".containerd]
default_runtime_name = "${handler}"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.${handler}]
runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.${handler}.options]
BinaryName = "${runtimePath}"
Root = "${runtimeRoot}"
`,
})
const t = useContainers()
let cri: Cri
let pod = ''

beforeAll(async () => {
  await containerd.open()
  const { socket, directory, cgroupParent } = containerd
  cri = new Cri(socket, imageName, directory, cgroupParent)
  // The plug-in hears of an image a moment after it was imported.
  await waitFor(() => cri.hasImage())
  pod = await cri.runPod('the-pod', handler)
  await waitFor(() => cri.hasImage())
})

afterAll(async () => {
  await cri.removePod(pod).catch(() => {})
  cri.close()
  await containerd.close()
})

async function started(name: string, options: ContainerOptions): Promise<string> {
  const id = await cri.createContainer(pod, 'the-pod', name, options)
  await cri.startContainer(id)
  return id
}

async function ended(id: string): Promise<{ exitCode: number; reason: string }> {
  const status = await waitFor(async () => {
    const status = await cri.status(id)
    return status.state === 'exited' && status
  })
  return { exitCode: status.exitCode, reason: status.reason }
}

const log = (name: string): string => readLog(join(containerd.directory, `${name}.log`)).stdout

it('the pod is a container of the runtime named by BinaryName', () => {
  expect(existsSync(join(containerd.runtimeRoot, pod))).toBe(true)
})

it('an unknown handler is refused', async () => {
  await expect(cri.runPod('other', 'no-such-handler')).rejects.toThrow('no-such-handler')
})

describe('a container', () => {
  let id = ''
  let pid = 0

  beforeAll(async () => {
    id = await started('first', { command: ['sh', '-c', 'echo ready; sleep 1000'], memoryLimit: 64 * MiB })
    pid = await containerd.pid(id)
  })

  it('runs in the cgroup of its pod, with its limits, and shares the ipc of the pod', async () => {
    expect(Object.values(cgroupsOf(pid))).toContain(`${containerd.cgroupParent}/${id}`)
    expect(readCgroup(pid, 'memory', 'memory.limit_in_bytes', 'memory.max')).toBe(`${64 * MiB}`)
    const podPid = await containerd.pid(pod)
    expect(namespaceOf(pid, 'ipc')).toBe(namespaceOf(podPid, 'ipc'))
    expect(namespaceOf(pid, 'pid')).not.toBe(namespaceOf(podPid, 'pid'))
    expect(namespaceOf(pid, 'net')).toBe(namespaceOf('self', 'net'))
    expect(readFileSync(`/proc/${pid}/status`, 'utf8')).toMatch(/^NSpid:\t\d+\t1$/m)
    await waitFor(() => log('first') === 'ready\n')
  })

  it('ExecSync, as a probe does it', async () => {
    const command = ['sh', '-c', 'echo out; echo err >&2; exit 7']
    expect(await cri.exec(id, command)).toEqual({ stdout: 'out\n', stderr: 'err\n', exitCode: 7 })
    await expect(cri.exec(id, ['no-such-program'])).rejects.toThrow('executable file not found in $PATH')
  })

  it('UpdateContainerResources and ContainerStats', async () => {
    await cri.updateMemoryLimit(id, 128 * MiB)
    expect(readCgroup(pid, 'memory', 'memory.limit_in_bytes', 'memory.max')).toBe(`${128 * MiB}`)
    expect(await cri.memoryOf(id)).toBeGreaterThan(0)
  })

  it('StopContainer and RemoveContainer leave no trace', async () => {
    await cri.stopContainer(id, 0)
    expect(await ended(id)).toEqual({ exitCode: 137, reason: 'Error' })
    await cri.removeContainer(id)
    await containerd.expectNothingLeft(id)
  })
})

it('the end of a container, by itself and for lack of memory', async () => {
  const short = await started('short', { command: ['sh', '-c', 'exit 3'], readOnly: true, user: 1000 })
  expect(await ended(short)).toEqual({ exitCode: 3, reason: 'Error' })
  const command = ['sh', '-c', 'dd if=/dev/zero of=/dev/null bs=64M count=1; sleep 1; exit 4']
  const hungry = await started('hungry', { command, memoryLimit: 24 * MiB })
  expect(await ended(hungry)).toEqual({ exitCode: 4, reason: 'OOMKilled' })
})

it('a program that is missing is named by StartContainer', async () => {
  const failed = await cri.createContainer(pod, 'the-pod', 'failed', { command: ['/no-such-program'] })
  await expect(cri.startContainer(failed)).rejects.toThrow(/"\/no-such-program": stat .*no such file or directory/)
  expect(await cri.status(failed)).toMatchObject({ state: 'exited', exitCode: 128, reason: 'StartError' })
})

it('a user that is not root, on a read-only root, with a terminal', async () => {
  const command = ['sh', '-c', 'id -u; touch /new || tty']
  const id = await started('tty', { command, readOnly: true, user: 1000, tty: true })
  expect(await ended(id)).toEqual({ exitCode: 0, reason: 'Completed' })
  expect(log('tty')).toMatch(/^1000\r?\n.*Read-only file system\r?\n\/dev\/pts\/0\r?\n$/)
})

it.each([[[]], [['SYS_ADMIN']]])(
  'the seccomp profile RuntimeDefault with capabilities %j says to every system call what it says under runc',
  async (addCapabilities: string[]) => {
    const command = ['sh', '-c', 'grep ^Seccomp: /proc/self/status; sleep 1000']
    const name = `default${addCapabilities.length}`
    const id = await started(name, { command, seccomp: true, addCapabilities })
    const { linux } = JSON.parse(readFileSync(join(containerd.bundle(id), 'config.json'), 'utf8')) as {
      linux: { seccomp: Profile }
    }
    await waitFor(() => log(name) === 'Seccomp:\t2\n')
    const text = await verdicts(t, linux.seccomp)
    // mount.
    if (process.arch === 'x64') expect(verdictOn(text, 'x86_64', 165)).toBe(addCapabilities.length === 0 ? '1' : 'pass')
    expect(inAnyLibrary(text)).toEqual(inAnyLibrary(await verdictsOfRunc(t, linux.seccomp)))
    await cri.stopContainer(id, 0)
    await cri.removeContainer(id)
  },
)

it('removing the pod removes all that is in it', async () => {
  const id = await started('last', { command: ['sleep', '1000'] })
  await cri.removePod(pod)
  await containerd.expectNothingLeft(pod, id)
})
