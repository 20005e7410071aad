/** docker build by the builder of dockerd: each RUN is a container of the default runtime. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type DockerResult, useDocker } from '../support/docker.ts'

const docker = useDocker()

async function build(tag: string, lines: readonly string[], flags: readonly string[] = []): Promise<DockerResult> {
  const context = docker.hostDirectory()
  writeFileSync(join(context, 'file'), 'of the context')
  writeFileSync(join(context, 'Dockerfile'), [`FROM ${docker.image}`, ...lines].join('\n'))
  return docker.call(['build', '--network', 'none', '--tag', tag, ...flags, context])
}

describe('docker build', () => {
  it('has the files of COPY, and each RUN its arguments, its directory and its user', async () => {
    const steps = ['ARG A=default', 'COPY file /copied', 'WORKDIR /made', 'RUN cat /copied > here; echo $A >> here']
    const result = await build('built', [...steps, 'USER 1000', 'RUN id -u; pwd'], ['--build-arg', 'A=given'])
    expect(result, result.stderr).toMatchObject({ exitCode: 0 })
    expect(result.stdout).toMatch(/\n1000\n\/made\n/)
    const { stdout } = await docker.call(['run', '--rm', 'built', 'cat', 'here'])
    expect(stdout).toBe('of the contextgiven')
  })

  it('a RUN that fails ends it with its exit code', async () => {
    const result = await build('failed', ['RUN exit 7'])
    expect(result).toMatchObject({ exitCode: 7, stderr: expect.stringMatching(/returned a non-zero code: 7/) })
  })

  it('--memory and --ulimit hold in RUN', async () => {
    const run =
      'RUN ulimit -Sn; cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max 2>/dev/null; :'
    const { stdout } = await build('limited', [run], ['--memory', '64m', '--ulimit', 'nofile=200:300', '--no-cache'])
    expect(stdout).toMatch(new RegExp(`\\n200\\n${64 << 20}\\n`))
  })
})
