/**
 * The kubelet's side of the container runtime interface, as much of it as a pod on the host's network needs: gRPC calls
 * over a unix socket. The numbers are those of k8s.io/cri-api's runtime/v1/api.proto.
 */
import { type ClientHttp2Session, connect } from 'node:http2'
import { createConnection } from 'node:net'
import { encode, type Message, Received } from './protobuf.ts'

/** A call that failed, with the words of the other side. */
export class CriError extends Error {}

export interface ContainerOptions {
  readonly command: readonly string[]
  readonly memoryLimit?: number
  readonly readOnly?: boolean
  readonly user?: number
  readonly tty?: boolean
  /** The profile RuntimeDefault; without it there is none. */
  readonly seccomp?: boolean
  /** Without CAP_. */
  readonly addCapabilities?: readonly string[]
}

/** NamespaceMode. */
const [pod, container, node] = [0, 1, 2]

/** ContainerState. */
const states = ['created', 'running', 'exited', 'unknown'] as const

export class Cri {
  readonly #session: ClientHttp2Session

  constructor(
    socket: string,
    private readonly image: string,
    /** Where the logs of the containers go. */
    readonly logs: string,
    /** Parent of the cgroups of every pod. */
    private readonly cgroupParent: string,
  ) {
    this.#session = connect('http://localhost', { createConnection: () => createConnection(socket) })
    this.#session.on('error', () => {})
  }

  close(): void {
    this.#session.close()
  }

  async hasImage(): Promise<boolean> {
    return (await this.#call('ImageStatus', { 1: { 1: this.image } }, 'ImageService')).has(1)
  }

  async runPod(name: string, handler: string): Promise<string> {
    return (await this.#call('RunPodSandbox', { 1: this.#pod(name), 2: handler })).string(1)
  }

  async createContainer(podId: string, podName: string, name: string, options: ContainerOptions): Promise<string> {
    const { command, memoryLimit, readOnly, user, tty, seccomp, addCapabilities = [] } = options
    const config: Message = {
      1: { 1: name },
      2: { 1: this.image },
      3: command,
      11: `${name}.log`,
      ...(tty ? { 14: true } : {}),
      15: {
        1: { 2: 50_000, 1: 100_000, 4: memoryLimit },
        2: {
          1: { 1: addCapabilities },
          3: namespaces,
          ...(user === undefined ? {} : { 5: { 1: user } }),
          ...(readOnly ? { 7: true } : {}),
          ...(seccomp ? { 15: {} } : {}),
        },
      },
    }
    return (await this.#call('CreateContainer', { 1: podId, 2: config, 3: this.#pod(podName) })).string(1)
  }

  async startContainer(id: string): Promise<void> {
    await this.#call('StartContainer', { 1: id })
  }

  async exec(id: string, command: readonly string[]): Promise<{ stdout: string; stderr: string; exitCode: number }> {
    const answer = await this.#call('ExecSync', { 1: id, 2: command, 3: 10 })
    return { stdout: answer.string(1), stderr: answer.string(2), exitCode: answer.number(3) }
  }

  async status(id: string): Promise<{ state: (typeof states)[number]; exitCode: number; reason: string }> {
    const status = (await this.#call('ContainerStatus', { 1: id })).message(1)
    return { state: states[status.number(3)] ?? 'unknown', exitCode: status.number(7), reason: status.string(10) }
  }

  /** Bytes of the working set. */
  async memoryOf(id: string): Promise<number> {
    const stats = (await this.#call('ContainerStats', { 1: id })).message(1)
    return stats.message(3).message(2).number(1)
  }

  async updateMemoryLimit(id: string, bytes: number): Promise<void> {
    await this.#call('UpdateContainerResources', { 1: id, 2: { 4: bytes } })
  }

  async stopContainer(id: string, seconds: number): Promise<void> {
    await this.#call('StopContainer', { 1: id, 2: seconds })
  }

  async removeContainer(id: string): Promise<void> {
    await this.#call('RemoveContainer', { 1: id })
  }

  async removePod(id: string): Promise<void> {
    await this.#call('StopPodSandbox', { 1: id })
    await this.#call('RemovePodSandbox', { 1: id })
  }

  #pod(name: string): Message {
    return {
      1: { 1: name, 2: `uid-of-${name}`, 3: 'default' },
      3: this.logs,
      8: { 1: this.cgroupParent, 2: { 1: namespaces } },
    }
  }

  /** One unary call; a gRPC message has a byte that says whether it is compressed, and its length, before it. */
  #call(method: string, message: Message, service = 'RuntimeService'): Promise<Received> {
    const body = encode(message)
    const head = Buffer.alloc(5)
    head.writeUInt32BE(body.length, 1)
    const stream = this.#session.request({
      ':method': 'POST',
      ':path': `/runtime.v1.${service}/${method}`,
      'content-type': 'application/grpc',
      te: 'trailers',
    })
    stream.end(Buffer.concat([head, body]))
    return new Promise((resolve, reject) => {
      const parts: Buffer[] = []
      let failure: string | undefined
      const readStatus = (headers: Record<string, unknown>): void => {
        const status = headers['grpc-status']
        if (status !== undefined && status !== '0')
          failure = `${method}: ${decodeURIComponent(String(headers['grpc-message']))}`
      }
      stream.setTimeout(40_000, () => stream.destroy(new Error(`${method} has not answered for 40 s`)))
      stream.on('response', readStatus)
      stream.on('trailers', readStatus)
      stream.on('data', (data: Buffer) => parts.push(data))
      stream.on('error', reject)
      stream.on('end', () =>
        failure === undefined ? resolve(new Received(Buffer.concat(parts).subarray(5))) : reject(new CriError(failure)),
      )
    })
  }
}

/** A pod without a network of its own, which would need plug-ins; ipc is the pod's, each container has its processes. */
const namespaces: Message = { 1: node, 2: container, 3: pod }
