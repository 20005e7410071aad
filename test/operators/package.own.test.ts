/**
 * The package as an operator has it, on both Debians: installed, used, upgraded under containers that run, removed, purged and
 * installed again. The tests of a machine are one story, in order.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Machine } from '../support/machine.ts'
import { builtVersion, newerPackage, pack } from './support/packages.ts'

const version = builtVersion()
const newer = `${version}+newer`
const directory = mkdtempSync(join(tmpdir(), 'crio-lxc-packages-'))
const deb = pack(directory)
const newerDeb = newerPackage(deb, newer)
afterAll(() => rmSync(directory, { recursive: true }))

/** Prepares /srv/ID, whose container runs the lines. */
function bundle(id: string, lines: string): string {
  return `mkdir -p /srv/${id}/rootfs/bin
cp /srv/busybox /srv/${id}/rootfs/bin/
for name in sh sleep cat; do ln -sf busybox /srv/${id}/rootfs/bin/$name; done
cat >/srv/${id}/rootfs/main <<'end'
${lines}
end
crio-lxc spec --bundle /srv/${id}
sed -i 's/"terminal": true/"terminal": false/; s/"sh"/"sh", "\\/main"/' /srv/${id}/config.json
`
}

/** Ends with 7 when it is told to, and repeats what it was told. */
const listener = 'echo listening; read -r word; echo "heard $word"; exit 7'
const waiter = 'trap "exit 0" TERM; while :; do sleep 0.1; done'

/** What apt, dpkg and adduser keep for themselves. */
const ofPackageManagers =
  /^(\/var\/(cache|lib\/(apt|dpkg)|log\/(apt|dpkg\.log|alternatives\.log))|\/etc\/(ld\.so\.cache|g?shadow-|passwd-|group-)|\/run\/adduser)(\/|$)/

describe.each([
  ['12', 'bookworm', 'liblxc1'],
  ['13', 'trixie', 'liblxc1t64'],
])('on Debian %s', (number, release, library) => {
  let machine: Machine
  let before: string[]
  beforeAll(async () => {
    machine = await Machine.make(release, { files: [deb, newerDeb, '/bin/busybox'] })
    await machine.output('apt-get update')
    before = await unowned()
  }, 600_000)
  afterAll(() => machine?.end())

  /** Every path that belongs to no package, those of /run and of the cgroups as well. */
  async function unowned(): Promise<string[]> {
    const owned = new Set((await machine.output('cat /var/lib/dpkg/info/*.list')).split('\n'))
    const paths = await machine.output('find / /run /tmp /sys/fs/cgroup -xdev; find /sys/fs/cgroup -type d')
    const others = new Set(paths.split('\n').filter((path) => !owned.has(path)))
    return [...others].filter((path) => !path.startsWith('/srv/') && !ofPackageManagers.test(path)).sort()
  }

  const apt = (command: string) => machine.output(`apt-get -q -y ${command}`)
  /** What apt says, of which the words of the package's scripts are a part. */
  async function aptFails(command: string): Promise<string> {
    const { status, stdout, stderr } = await machine.run(`apt-get -q -y ${command}`)
    expect(status, stdout).not.toBe(0)
    // dpkg writes to a terminal of apt's.
    return (stdout + stderr).replaceAll('\r', '')
  }
  const installedVersion = () => machine.output('printf %s $(dpkg-query -W crio-lxc | cut -f 2)')
  const programs = () => machine.output('cd /usr; md5sum bin/crio-lxc libexec/crio-lxc/crio-lxc-*')
  const states = async () =>
    JSON.parse(await machine.output('crio-lxc list --format json')) as { id: string; status: string }[]

  test('it is that release', async () => {
    expect(await machine.output('cat /etc/debian_version')).toMatch(new RegExp(`^${number}\\.`))
  })

  test('apt installs it with what it needs', async () => {
    await apt(`install /srv/${basename(deb)}`)
    expect(await machine.output(`dpkg-query -W -f '\${db:Status-Status}' ${library}`)).toBe('installed')
    expect(await machine.output('dpkg --verify crio-lxc; dpkg --audit')).toBe('')
  })

  test('its version is what the program says', async () => {
    expect(await installedVersion()).toBe(version)
    expect(await machine.output('crio-lxc --version')).toMatch(`crio-lxc version ${version}\n`)
  })

  test("init is root's, cannot be read, and is the same file in the stage", async () => {
    const files = 'crio-lxc-init stage/init'
    const lines = await machine.output(`cd /usr/libexec/crio-lxc; stat -c '%i %h %a %U:%G' ${files}`)
    expect(lines).toMatch(/^(\d+ 2 111 root:root)\n\1\n$/)
  })

  test('config reads the file that it installs, without a word on stderr', async () => {
    await machine.output('echo CRIO_LXC_LOG_FILE=/var/log/crio-lxc.log >>/etc/default/crio-lxc')
    const { status, stdout, stderr } = await machine.run('crio-lxc config')
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(stdout).toMatch(/^log-file +\/var\/log\/crio-lxc\.log +CRIO_LXC_LOG_FILE in \/etc\/default\/crio-lxc$/m)
  })

  test('a container, from create to delete', async () => {
    await machine.output(bundle('demo', waiter))
    await machine.output('crio-lxc create --bundle /srv/demo demo >/srv/output 2>&1; crio-lxc start demo')
    expect(await machine.output('crio-lxc exec demo sh -c "echo in $(hostname)"')).toMatch(/^in /)
    await machine.output('crio-lxc kill demo TERM; crio-lxc delete --force demo')
    expect(await states()).toEqual([])
    expect(await machine.output('cat /var/log/crio-lxc.log; ls /run/crio-lxc')).not.toContain('error')
  })

  test('a running container is named and blocks removal, not the program', async () => {
    await machine.output(bundle('service', waiter))
    await machine.output('crio-lxc create --bundle /srv/service service >/srv/output 2>&1; crio-lxc start service')
    for (const verb of ['remove', 'purge']) {
      expect(await aptFails(`${verb} crio-lxc`)).toContain('  crio-lxc --root /run/crio-lxc delete --force service\n')
    }
    expect(await states()).toMatchObject([{ id: 'service', status: 'running' }])
    expect(await machine.output('dpkg --audit; dpkg --verify crio-lxc | grep -v " c /etc/default/crio-lxc" || :')).toBe(
      '',
    )
  })

  test('as does one in a directory that another engine names', async () => {
    const root = '/run/containerd/runc/k8s.io'
    await machine.output(`mkdir -p ${root}
crio-lxc --root ${root} create --bundle /srv/service pod >/srv/output 2>&1
mkdir ${root}/of-runc`)
    const said = await aptFails('remove crio-lxc')
    expect(said).toContain(`  crio-lxc --root ${root} delete --force pod\n`)
    expect(said).not.toContain('of-runc')
    await machine.output(`crio-lxc --root ${root} delete --force pod; rm -r /run/containerd`)
  })

  test('an upgrade breaks nothing that runs', { timeout: 300_000 }, async () => {
    await machine.output(bundle('foreground', listener) + bundle('watched', waiter))
    const run = machine.start('exec crio-lxc run --bundle /srv/foreground foreground')
    const exec = machine.start(`exec crio-lxc exec service sh -c '${listener}'`)
    await Promise.all([run.until('listening'), exec.until('listening')])
    await machine.output(
      'crio-lxc --monitor resident create --bundle /srv/watched watched >/srv/output 2>&1; crio-lxc start watched',
    )

    const old = await programs()
    await apt(`install /srv/${basename(newerDeb)}`)
    expect(await installedVersion()).toBe(newer)
    const now = (await programs()).split('\n')
    expect(now.filter((line) => line !== '' && old.includes(line))).toEqual([])
    expect(await machine.output('grep CRIO_LXC_LOG_FILE=/var /etc/default/crio-lxc')).not.toBe('')

    expect((await states()).map(({ id, status }) => `${id} ${status}`).sort()).toEqual([
      'foreground running',
      'service running',
      'watched running',
    ])
    for (const running of [run, exec]) {
      running.say('you')
      expect(await running.result).toEqual({ status: 7, stdout: 'listening\nheard you\n', stderr: '' })
    }
  })

  test('the new program serves the containers of the old one', async () => {
    expect(await machine.output('crio-lxc exec service cat /main')).toContain('sleep')
    for (const id of ['service', 'watched'])
      await machine.output(`crio-lxc kill ${id} TERM; crio-lxc delete --force ${id}`)
    expect(await states()).toEqual([])
  })

  test('removed, it leaves the configuration', async () => {
    await apt('remove crio-lxc')
    expect(await machine.output('grep CRIO_LXC_LOG_FILE=/var /etc/default/crio-lxc')).not.toBe('')
    expect((await machine.run('ls /usr/bin/crio-lxc /usr/libexec/crio-lxc')).stdout).toBe('')
  })

  test('purged, it leaves nothing', async () => {
    await apt('purge --autoremove crio-lxc')
    const known = new Set(before)
    expect(await machine.output('ls /var/lib/dpkg/info')).not.toContain('crio-lxc')
    expect((await unowned()).filter((path) => !known.has(path))).toEqual([])
  })

  test('installed again it works, and each shell completes its words', { timeout: 300_000 }, async () => {
    await apt(`install --no-install-recommends /srv/${basename(deb)} bash-completion zsh fish apparmor`)
    expect(await machine.run('echo you | crio-lxc run --bundle /srv/foreground again')).toMatchObject({
      status: 7,
      stdout: 'listening\nheard you\n',
    })
    const asked = (shell: string, script: string) =>
      machine.output(`cat >/srv/script <<'end'\n${script}\nend\ntimeout 30 ${shell} /srv/script`)
    expect(await asked('fish', "complete -C 'crio-lxc upd'")).toMatch(/^update\n/)
    expect(await asked('bash', bashCompletion('crio-lxc upd'))).toBe('update\n')
    expect(await asked('zsh -f', zshCompletion('crio-lxc upd'))).toContain('crio-lxc update')
    // A value behind =, where bash begins a word of its own.
    const line = 'crio-lxc list --filter=status=ru'
    expect(await asked('fish', `complete -C '${line}'`)).toBe('--filter=status=running\n')
    expect(await asked('bash', bashCompletion(line))).toBe('running\n')
    expect(await asked('zsh -f', zshCompletion(line))).toContain('--filter=status=running')
    // Without the files that are there.
    expect(await asked('fish', "cd /srv; complete -C 'crio-lxc completion '")).toBe('bash\nfish\nzsh\n')
    expect(await asked('fish', "complete -C 'crio-lxc --log-file=/etc/hostn'")).toMatch(/^--log-file=\/etc\/hostname/)
  })

  test("the profile for AppArmor is one that this Debian's parser takes, and stays disabled until somebody enables it", async () => {
    await machine.output('apparmor_parser --skip-kernel-load --skip-cache /etc/apparmor.d/crio-lxc')
    const link = '/etc/apparmor.d/disable/crio-lxc'
    expect(await machine.output(`readlink ${link}; cd /etc/apparmor.d/disable/; realpath crio-lxc`)).toBe(
      '/etc/apparmor.d/crio-lxc\n/etc/apparmor.d/crio-lxc\n',
    )
    await machine.output(`rm ${link}`)
    await apt(`install /srv/${basename(newerDeb)}`)
    expect(await machine.output(`ls /etc/apparmor.d/disable; dpkg --audit`)).not.toContain('crio-lxc')
  })
})

/** bash-completion finds the function by the command's name; then it is called as readline calls it. */
const bashCompletion = (line: string) => `. /usr/share/bash-completion/bash_completion
if declare -F _comp_load >/dev/null; then _comp_load crio-lxc; else _completion_loader crio-lxc || :; fi
COMP_LINE='${line}' COMP_WORDS=(${line.replaceAll('=', ' = ')})
COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
_crio_lxc crio-lxc "" ""
echo "\${COMPREPLY[@]}"`

/** An interactive zsh in a terminal of its own, whose completion system finds the function by the command's name. */
const zshCompletion = (line: string) => `zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell 'PS1=; autoload -Uz compinit; compinit -u -D; echo re""ady'
zpty -r -m shell output '*ready*'
zpty -w -n shell "${line}"$'\\t'
zpty -r -m shell output '*(update|running)*'
print -r -- $output
zpty -d shell`
