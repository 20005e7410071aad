/**
 * What a person at docker is told when the runtime fails. dockerd takes the last error of the runtime's log, reads the exit
 * code of `docker run` and a hint out of its words, and passes the sentence on.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { isRunc } from '../../support/runtime.ts'
import { useDocker } from '../support/docker.ts'

const docker = useDocker()

/** A directory with a file that can be executed and is no program, a script without its interpreter, and a directory. */
function volume(): { readonly flags: string[]; readonly host: string } {
  const host = docker.hostDirectory()
  writeFileSync(join(host, 'garbage'), 'garbage\n', { mode: 0o755 })
  writeFileSync(join(host, 'script'), '#!/no/such/interpreter\n', { mode: 0o755 })
  mkdirSync(join(host, 'directory'))
  return { flags: ['--volume', `${host}:/opt`], host }
}

describe('a program that cannot be run', () => {
  it.each([
    ['in no directory of PATH', 'no-such-program', 127, /exec: "no-such-program": executable file not found in \$PATH/],
    ['missing', '/bin/no-such', 127, /exec: "\/bin\/no-such": stat \/bin\/no-such: no such file or directory/],
    ['not executable', '/etc/passwd', 126, /exec: "\/etc\/passwd": permission denied/],
    ['a directory', '/etc', 126, /exec: "\/etc": (it )?is a directory/],
  ])('%s', async (_, program, exitCode, words) => {
    const { stderr, ...result } = await docker.run([], [program])
    expect(result).toEqual({ exitCode, stdout: '' })
    expect(stderr).toMatch(words)
    expect(stderr).toMatch(/^docker: Error response from daemon: .*OCI runtime create failed: .*\.$/m)
  })

  it.each([
    ['garbage', /exec.*\/opt\/garbage.*: exec format error/],
    ['script', /exec.*\/opt\/script.*: no such file or directory/],
  ])('%s is told on its own stderr, after start', async (name, words) => {
    const result = await docker.run(volume().flags, [`/opt/${name}`])
    expect(result).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(words) })
    if (!isRunc && name === 'script') expect(result.stderr).toContain('"/no/such/interpreter"')
  })

  it.each([
    [['no-such-program'], [], /executable file not found in \$PATH/],
    [['/etc'], [], /is a directory/],
    [['true'], ['--workdir', '/no/such'], /\/no\/such.*no such file or directory/],
  ])('docker exec %j %j exits 126', async (command, flags, words) => {
    const name = await docker.detached([], ['sleep', '1000'])
    const { exitCode, stdout, stderr } = await docker.exec(name, command, flags)
    expect(exitCode).toBe(126)
    expect(stdout + stderr).toMatch(/^OCI runtime exec failed: /m)
    expect(stdout + stderr).toMatch(words)
    await docker.remove(name)
  })
})

describe('a container that cannot be made', () => {
  it.each(['a directory on a file', 'a file on a directory'])('%s has the hint of docker', async (which) => {
    const { host } = volume()
    const [source, target] = which === 'a directory on a file' ? ['directory', '/etc/passwd'] : ['script', '/bin']
    const { exitCode, stderr } = await docker.run(['--volume', `${host}/${source}:${target}`], ['true'])
    expect(exitCode).toBe(125)
    expect(stderr).toMatch(/not a directory.*Are you trying to mount a directory onto a file \(or vice-versa\)\?/)
    expect(stderr).toContain(target)
  })

  it('names the parameter that the kernel does not have', async () => {
    const { exitCode, stderr } = await docker.run(['--sysctl', 'net.no.such=1', '--network', 'none'], ['true'])
    expect(exitCode).not.toBe(0)
    expect(stderr).toMatch(/net[./]no[./]such/)
  })

  it('names what is wrong in a seccomp profile', async () => {
    const profile = join(docker.hostDirectory(), 'profile.json')
    writeFileSync(profile, JSON.stringify({ defaultAction: 'SCMP_ACT_NOSUCH' }))
    const { exitCode, stderr } = await docker.run(['--security-opt', `seccomp=${profile}`], ['true'])
    expect(exitCode).toBe(125)
    expect(stderr).toContain('SCMP_ACT_NOSUCH')
  })

  it('leaves nothing, and its name is free again once it is removed', async () => {
    const name = docker.name()
    const run = ['run', '--name', name, docker.image]
    expect((await docker.call([...run, 'no-such-program'])).exitCode).toBe(127)
    expect(await docker.state(name)).toMatchObject({ Status: 'created', ExitCode: 127 })
    expect((await docker.state(name)).Error).toContain('executable file not found')
    await docker.remove(name)
    expect((await docker.call([...run, 'true'])).exitCode).toBe(0)
    await docker.remove(name)
  })
})
