import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { requires } from '../../support/requires.ts'
import { messageOf } from '../../support/runtime.ts'

requires('root', 'own-runtime')
const t = useContainers()

describe('list', () => {
  it('--wide has age, pod, name, image and engine, without what could steer a terminal', async () => {
    const annotations = {
      'io.kubernetes.pod.name': 'web\x1b[31m',
      'io.kubernetes.pod.namespace': 'shop',
      'io.kubernetes.container.name': 'nginx',
      'io.kubernetes.cri-o.ImageName': 'docker.io/nginx:1',
    }
    const { id, pid } = await t.running({
      args: ['sleep', '1000'],
      spec: (spec) => Object.assign(spec, { annotations }),
    })
    const { stdout } = await t.ok(['list', '--wide'])
    const [header, row] = stdout
      .trimEnd()
      .split('\n')
      .map((line) => line.split(/ {2,}/))
    expect(header).toEqual(['ID', 'PID', 'STATUS', 'AGE', 'POD', 'NAME', 'IMAGE', 'ENGINE'])
    expect(row).toEqual([
      id,
      String(pid),
      'running',
      expect.stringMatching(/^\d+s$/),
      'shop/web\\u001b[31m',
      'nginx',
      'docker.io/nginx:1',
      'cri-o',
    ])
  })

  it('--filter chooses in every form', async () => {
    const spec = (tier: string) => ({ spec: (spec: object) => Object.assign(spec, { annotations: { tier } }) })
    const running = await t.running({ args: ['sleep', '1000'], ...spec('front') })
    const stopped = await t.stopped()
    const ids = async (...args: string[]) => (await t.ok(['list', '-q', ...args])).stdout.split('\n').filter(Boolean)
    expect(await ids('--filter', 'status=stopped')).toEqual([stopped.id])
    expect(await ids('--filter', 'annotation=tier=front')).toEqual([running.id])
    expect(await ids('--filter', `id=${running.id}`, '--filter', 'status=stopped')).toEqual([])
    const { stdout } = await t.ok(['list', '--format', 'json', '--filter', 'status=running'])
    expect(JSON.parse(stdout)).toMatchObject([{ id: running.id }])
    expect((await t.ok(['list', '--filter', 'status=paused'])).stdout).toMatch(/^ID +PID .*\n$/)
  })

  it('names a filter that it does not know', async () => {
    const result = await t.runtime(['list', '--filter', 'name=web'])
    expect(result.exitCode).toBe(1)
    expect(messageOf(result)).toBe(
      'invalid --filter "name=web": want status=STATUS, id=BEGINNING, annotation=NAME or annotation=NAME=VALUE',
    )
  })
})
