/**
 * The story that `npm run demo` tells once everything is built: one container from create to delete, then the same
 * image through podman. Everything shown as a command is what runs. RUNTIME names another runtime than dist/bin/crio-lxc.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, watch, writeFileSync } from 'node:fs'
import { basename, delimiter, dirname, join } from 'node:path'
import { formatTime, Narrator, type TellOptions } from './narrator.ts'

const runtimePath = process.env['RUNTIME'] ?? join(import.meta.dirname, '../../dist/bin/crio-lxc')
const runtime = basename(runtimePath)
const directory = mkdtempSync('/var/tmp/crio-lxc-demo-')
const id = `demo-${directory.slice(-6)}`
const searchPath = ['/usr/sbin', '/usr/bin', '/sbin', '/bin']
const environment = {
  PATH: [...(runtimePath === runtime ? [] : [dirname(runtimePath)]), ...searchPath].join(delimiter),
  CONTAINERS_CONF: join(directory, 'containers.conf'),
  CONTAINERS_STORAGE_CONF: join(directory, 'storage.conf'),
}
const podmanCgroups = parentsOfPodman()
const colour = process.stdout.isTTY && !process.env['NO_COLOR']
const narrator = new Narrator(directory, environment, colour)

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => narrator.interrupt())
try {
  await makeBundle()
  await runContainer()
  await runThroughPodman()
  narrator.heading('Done; the demo has removed everything that it made.')
} catch (error) {
  narrator.failure((error as Error).message)
  process.exitCode = 1
} finally {
  cleanUp()
}

async function makeBundle(): Promise<void> {
  narrator.heading(`A bundle from Debian's static busybox, in ${directory}`)
  await narrator.tell(
    `mkdir -p bundle/rootfs/bin
cp /bin/busybox bundle/rootfs/bin/
for applet in sh echo hostname ps sleep; do ln -s busybox bundle/rootfs/bin/$applet; done`,
    'One static program is the whole image.',
  )
  await narrator.tell(
    `cat >bundle/rootfs/bin/hello <<'end'
#!/bin/sh
trap 'echo "goodbye"; exit 0' TERM
echo "hello from $(hostname), where I am process $$"
sleep 1000 &
wait
end
chmod +x bundle/rootfs/bin/hello`,
    'This is what the container will run.',
  )
  await narrator.tell(
    `${runtime} spec --bundle bundle
sed -i 's/"terminal": true/"terminal": false/; s/"sh"/"hello"/; s/"hostname": ".*"/"hostname": "demo"/' bundle/config.json`,
    'config.json now asks for hello, without a terminal.',
  )
  const { process: spec } = JSON.parse(readFileSync(join(directory, 'bundle/config.json'), 'utf8'))
  if (spec.terminal || spec.args.join() !== 'hello') throw new Error('config.json was not changed as the demo needs it')
}

async function runContainer(): Promise<void> {
  narrator.heading('One container, from create to delete')
  const output = join(directory, 'output')
  const times: number[] = []
  const tell = async (command: string, ...rest: [sentence: string, options?: TellOptions]) => {
    times.push(await narrator.tell(`${runtime} ${command}`, ...rest))
  }
  await tell(
    `create --bundle bundle --pid-file pid ${id} >output`,
    'Namespaces, mounts, devices and cgroup are made; its first process waits for start.',
  )
  await tell(`state ${id}`, 'What engines ask for: it is created, and this is its process on the host.')
  await tell(`start ${id}`, 'hello runs.', { until: () => waitForOutput(output, 'hello from') })
  await narrator.tell('cat output', 'The container wrote this; it is process 1 of its own PID namespace.')
  await tell(`exec ${id} ps -o pid,args`, 'A second program ran in the same container and saw its processes alone.')
  await tell(`kill ${id} TERM`, 'hello was asked to end.', { until: () => waitForOutput(output, 'goodbye') })
  await narrator.tell('cat output', 'It caught the signal and said so.')
  await tell(`delete --force ${id}`, 'Its cgroup, its mounts and its files are gone.')
  narrator.say('')
  narrator.say(`All of it took ${formatTime(times.reduce((total, ms) => total + ms, 0))} of ${runtime}'s time.`)
}

async function runThroughPodman(): Promise<void> {
  narrator.heading('The same image, through podman')
  if (!hasCommand('podman')) {
    narrator.say('podman is not installed; with "apt-get install podman" the demo goes on here.')
    return
  }
  writePodmanConfiguration()
  await narrator.tell(
    `export CONTAINERS_CONF=containers.conf CONTAINERS_STORAGE_CONF=storage.conf
grep -A1 runtime containers.conf`,
    `podman keeps its storage in the demo's directory and calls ${runtime}.`,
  )
  await narrator.tell('tar -C bundle/rootfs -c . | podman import - hello', 'The rootfs is a podman image.')
  await narrator.tell(
    `podman run --rm --network none --hostname podman hello sh -c 'echo "hello from $(hostname)"; exit 7'`,
    `The container ran, and podman passed on its exit status, 7.`,
    { status: 7 },
  )
}

/**
 * A configuration in which nothing is shared with the machine's own podman. The limits are there because podman's own
 * defaults are higher than root may set on a machine that withholds CAP_SYS_RESOURCE.
 */
function writePodmanConfiguration(): void {
  const own = (name: string) => JSON.stringify(join(directory, 'podman', name))
  writeFileSync(
    environment.CONTAINERS_CONF,
    `[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
lock_type = "file"
tmp_dir = ${own('tmp')}
volume_path = ${own('volumes')}
runtime = "${runtime}"
[engine.runtimes]
${runtime} = ["${runtimePath === runtime ? which(runtime) : runtimePath}"]
[containers]
default_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]
[network]
network_config_dir = ${own('networks')}
`,
  )
  writeFileSync(
    environment.CONTAINERS_STORAGE_CONF,
    `[storage]\ndriver = "vfs"\ngraphroot = ${own('storage')}\nrunroot = ${own('run')}\n`,
  )
}

/** Resolves once the container has written `text`; rejects after ten seconds. */
function waitForOutput(file: string, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const watcher = watch(file, check)
    const timer = setTimeout(() => finish(new Error(`the container did not write "${text}"`)), 10_000)
    const finish = (error?: Error) => {
      clearTimeout(timer)
      watcher.close()
      if (error) reject(error)
      else resolve()
    }
    function check() {
      if (readFileSync(file, 'utf8').includes(text)) finish()
    }
    check()
  })
}

/** Removes container, podman's containers and files, whether or not they were made. */
function cleanUp(): void {
  const run = (command: string) =>
    spawnSync('sh', ['-c', command], { cwd: directory, env: environment, stdio: 'ignore' })
  run(`${runtime} delete --force ${id}`)
  if (existsSync(environment.CONTAINERS_CONF)) {
    run('podman rm --all --force --time 0')
    run('podman unmount --all')
    run(`umount "${join(directory, 'podman/storage')}"`)
    // podman keeps the parent of its containers' cgroups for the next one.
    const parents = parentsOfPodman().filter((path) => !podmanCgroups.includes(path))
    for (const parent of parents) run(`find ${parent} -depth -type d -exec rmdir {} +`)
  }
  rmSync(directory, { recursive: true, force: true })
}

/** The directories of podman's default parent cgroup: one, or one in each v1 hierarchy. */
function parentsOfPodman(): string[] {
  const root = '/sys/fs/cgroup'
  return ['', ...readdirSync(root)].map((name) => join(root, name, 'libpod_parent')).filter((path) => existsSync(path))
}

function hasCommand(name: string): boolean {
  return which(name) !== ''
}

function which(name: string): string {
  return spawnSync('sh', ['-c', `command -v ${name}`], { env: environment, encoding: 'utf8' }).stdout.trim()
}
