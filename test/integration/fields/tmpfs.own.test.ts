import { execFileSync } from 'node:child_process'
import { closeSync, mkdirSync, openSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { attributesOf, setAttribute } from '@crio-lxc/core/sys/tree-files'
import { describe, expect, it } from 'vitest'
import type { Bundle } from '../../support/bundle.ts'
import { useContainers } from '../../support/containers.ts'
import { requires } from '../../support/requires.ts'
import type { Spec } from '../../support/spec.ts'
import { mappedBundles } from '../../support/user-namespace.ts'
import { waitFor } from '../../support/wait-for.ts'

requires('root', 'own-runtime')
const t = useContainers()

/** Two directories of the image, each under a tmpfs with these options. */
const withTmpfs =
  (...options: string[]) =>
  (spec: Spec): void => {
    spec.root.readonly = false
    for (const destination of ['/one', '/other'])
      spec.mounts.push({ destination, type: 'tmpfs', source: 'tmpfs', options })
  }

async function bundleOf(args: string[], spec: (spec: Spec) => void, script: string): Promise<Bundle> {
  const bundle = await t.bundle({ args, spec })
  execFileSync('sh', ['-c', `mkdir one other; cd one; ${script}`], { cwd: bundle.rootfs })
  return bundle
}

describe('mode=', () => {
  it.each([['mode=1750'], ['mode=1750', 'tmpcopyup'], ['tmpcopyup', 'size=1m', 'mode=1750']])(
    'of %j counts more than the mode of the image',
    async (...options) => {
      const show = ['stat', '-c', '%a %u:%g', '/one']
      const bundle = await bundleOf(show, withTmpfs(...options), 'chmod 711 .; chown 3:4 .')
      expect((await t.run(bundle)).stdout).toBe('1750 0:0\n')
    },
  )
})

describe('tmpcopyup', () => {
  // runc 1.1.5 fails on the fifo.
  it('brings fifos, links and names of any bytes along', async () => {
    const text = 'x'.repeat(300)
    const bundle = await bundleOf(
      ['sh', '-c', 'cd /one; stat -c "%F %a %u:%g" fifo; readlink link; printf "%s\\n" * | od -An -tx1 | tr -d "\\n "'],
      withTmpfs('tmpcopyup'),
      `mkfifo fifo; chown 7:8 fifo; chmod 4640 fifo; ln -s ${text} link; touch "$(printf 'caf\\351')"`,
    )
    const { stdout } = await t.run(bundle)
    // "caf\xe9", "fifo", "link", each with a line break.
    expect(stdout).toBe(`fifo 4640 7:8\n${text}\n636166e90a6669666f0a6c696e6b0a`)
  })

  it('brings sockets, device nodes, set-ID bits and extended attributes along', async () => {
    const bundle = await bundleOf(
      ['sh', '-c', 'cd /one; stat -c "%n %F %a %u:%g %t:%T" device socket; sleep 1000'],
      withTmpfs('tmpcopyup'),
      'mknod -m 640 device c 1 5; chown 5:6 device; touch file; chmod 2711 file; mkdir sub; setcap cap_net_raw+ep file',
    )
    const listen = 'require("net").createServer().listen(process.argv[1], () => process.kill(process.pid, "SIGKILL"))'
    try {
      execFileSync(process.execPath, ['-e', listen, `${bundle.rootfs}/one/socket`])
    } catch {
      // The kill, so that the socket stays.
    }
    const attributes = (path: string): Map<string, string> => {
      const fd = openSync(path, 'r')
      try {
        return new Map(attributesOf(fd).map(([name, value]) => [name, Buffer.from(value).toString('hex')]))
      } finally {
        closeSync(fd)
      }
    }
    const sub = openSync(`${bundle.rootfs}/one/sub`, 'r')
    setAttribute(sub, 'trusted.mark', Buffer.from([0, 1, 0xff]))
    closeSync(sub)
    const { result, pid } = await t.running(bundle)
    const copy = `/proc/${pid}/root/one`
    expect(attributes(`${copy}/sub`).get('trusted.mark')).toBe('0001ff')
    const capability = attributes(`${bundle.rootfs}/one/file`).get('security.capability')
    expect(capability).toBeTruthy()
    expect(attributes(`${copy}/file`).get('security.capability')).toBe(capability)
    expect(statSync(`${copy}/file`).mode & 0o7777).toBe(0o2711)
    await waitFor(() => result.output().includes('socket'))
    expect(result.output()).toMatch(/^device character special file 640 5:6 1:5\nsocket socket \d+ 0:0 0:0\n$/)
  })

  it('does not open a device that the mount of the image keeps shut', async () => {
    const bundle = await bundleOf(
      ['sh', '-c', 'grep -q " /one [^ ]*nodev" /proc/self/mountinfo && echo shut; head -c 1 /one/zero'],
      withTmpfs('tmpcopyup'),
      'mknod -m 666 zero c 1 5',
    )
    execFileSync('mount', ['--bind', bundle.rootfs, bundle.rootfs])
    t.defer(() => void execFileSync('umount', [bundle.rootfs]))
    execFileSync('mount', ['-o', 'remount,bind,nodev', bundle.rootfs])
    const { stdout, stderr } = await t.run(bundle)
    expect(stdout).toBe('shut\n')
    expect(stderr).toMatch(/permission denied/i)
  })

  it('gives the root of the tmpfs to root of a user namespace', async () => {
    const { mapped } = mappedBundles(t)
    const bundle = await mapped({
      args: ['stat', '-c', '%n %a %u:%g', '/one', '/one/file', '/other'],
      spec: (spec) => {
        withTmpfs('tmpcopyup')(spec)
        spec.mounts.push({ destination: '/other', type: 'tmpfs', source: 'tmpfs' })
      },
    })
    mkdirSync(`${bundle.rootfs}/one`, { mode: 0o711 })
    writeFileSync(`${bundle.rootfs}/one/file`, '')
    const { stdout, stderr } = await t.run(bundle)
    expect(stdout, stderr).toBe('/one 711 0:0\n/one/file 644 65534:65534\n/other 1777 0:0\n')
  })
})

describe('what tmpcopyup may bring into memory', () => {
  const refused = async (bundle: Bundle, problem: RegExp): Promise<void> => {
    const { exitCode, stderr } = await t.run(bundle)
    expect(exitCode).toBe(1)
    expect(stderr).toMatch(problem)
    expect(stderr.trim().split('\n')).toHaveLength(1)
    t.expectNothingLeft()
  }
  const limited = (spec: Spec): void => {
    withTmpfs('tmpcopyup')(spec)
    spec.linux.resources = { ...spec.linux.resources, memory: { limit: 4 << 20 } }
  }
  const tooMany =
    /mounts\[\d+\]\.options: copy \/one for tmpcopyup: it has more than 4194304 bytes, linux\.resources\.memory\.limit: /

  it('is what the container may have: files, sparse ones as well', async () => {
    await refused(await bundleOf(['true'], limited, 'head -c 5000000 /dev/zero > file'), tooMany)
    const bundle = await bundleOf(['true'], limited, 'touch file')
    truncateSync(`${bundle.rootfs}/one/file`, 2 ** 40)
    await refused(bundle, tooMany)
  })

  it('is what the container may have: names', async () => {
    await refused(await bundleOf(['true'], limited, 'for i in $(seq 5000); do echo $i; done | xargs touch'), tooMany)
  })

  it('is that for all mounts together', async () => {
    const script = 'head -c 3000000 /dev/zero > file; cp file ../other'
    await refused(
      await bundleOf(['true'], limited, script),
      /mounts\[\d+\]\.options: copy \/other for tmpcopyup: it has more/,
    )
  })

  it('is what the size of the tmpfs allows', async () => {
    const bundle = await bundleOf(['true'], withTmpfs('tmpcopyup', 'size=1m'), 'head -c 2000000 /dev/zero > file')
    await refused(bundle, /mounts\[\d+\]\.options: copy \/one for tmpcopyup: .*no space left on device/)
  })

  it('has a depth', async () => {
    const deep = 'i=0; while [ $i -lt 210 ]; do mkdir d && cd d; i=$((i+1)); done'
    await refused(await bundleOf(['true'], withTmpfs('tmpcopyup'), deep), /more than 200 directories in one another/)
  })

  it('leaves room for an image as it is', async () => {
    const script = 'for i in $(seq 2000); do echo $i; done | xargs touch; head -c 1000000 /dev/zero > file'
    expect(await t.run(await bundleOf(['ls', '/one/file'], limited, script))).toMatchObject({ stdout: '/one/file\n' })
  })
})
