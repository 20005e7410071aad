/** exec: one more process in a container that runs. It never enters the container itself (CVE-2019-5736). */
import { closeSync, readFileSync, statSync, writeSync } from 'node:fs'
import { pid as ownPid } from 'node:process'
import { O_PATH } from '@crio-lxc/core/abi/constants'
import { cgroupDirectories, openCgroupProcs } from '@crio-lxc/core/cgroup/cgroupfs'
import { hastenMigration } from '@crio-lxc/core/cgroup/hasten-migration'
import { cgroupLayout } from '@crio-lxc/core/cgroup/hierarchies'
import { createPidFile } from '@crio-lxc/core/container/json-file'
import { phrase } from '@crio-lxc/core/errors/codes'
import { RuntimeError } from '@crio-lxc/core/errors/runtime-error'
import { checkProcessSupport } from '@crio-lxc/core/oci/check-support'
import { parseProcess, parseSpec } from '@crio-lxc/core/oci/parse-spec'
import type { Process, Spec } from '@crio-lxc/core/oci/spec'
import { compile } from '@crio-lxc/core/plan/compile'
import { callText } from '@crio-lxc/core/plan/print'
import { openProcess } from '@crio-lxc/core/process/pidfd'
import { memfdCreate, openat2, pipe } from '@crio-lxc/core/sys/libc'
import { spawn, wait } from '@crio-lxc/core/sys/spawn'
import { readSize } from '@crio-lxc/core/sys/terminal'
import { planExec } from '@crio-lxc/init/exec-plan'
import { companionsOf } from './companions.ts'
import { connectConsole } from './console-socket.ts'
import { hostArch } from './create.ts'
import type { ExecOptions } from './exec-options.ts'
import { processOfFlags } from './exec-process.ts'
import { type Container, loadContainer } from './load-container.ts'
import { readDocument } from './load-spec.ts'
import { namespaceKinds } from './namespaces.ts'
import { processInputs } from './process-inputs.ts'
import { readRecord, stepError } from './report.ts'
import type { Settings } from './settings.ts'
import { fixStdio } from './stdio.ts'
import { supervise } from './supervise.ts'
import { TerminalProxy } from './terminal-proxy.ts'
import { Undo } from './undo.ts'

/** Returns the exit code of the process, or 0 when it is detached. */
export function exec(settings: Settings, id: string, options: ExecOptions): number | Promise<number> {
  hastenMigration()
  const container = loadContainer(settings, id)
  checkStatus(container)
  const spec = parseSpec(readFileSync(container.info.runtimePath('config.json')))
  const asked = processOf(spec, options)
  // A program that draws asks for the size at once, before the proxy could set it.
  const size = asked.terminal && !asked.consoleSize ? readSize(0) : undefined
  const process = size ? { ...asked, consoleSize: size } : asked
  const proxy = process.terminal && !options.detach && !options.consoleSocket ? new TerminalProxy() : undefined
  if (process.terminal && options.detach && !options.consoleSocket)
    throw new RuntimeError('usage', 'a detached process with a terminal needs a socket for it: give --console-socket')
  if (!process.terminal && options.consoleSocket)
    throw new RuntimeError('usage', '--console-socket is for a process with a terminal: give --tty as well')
  const pid = startProcess({ settings, container, spec, process, options, proxy })
  if (options.pidFile !== undefined) createPidFile(options.pidFile, pid)
  return options.detach ? 0 : supervise(pid, proxy)
}

/** ExecDetached of the seed: returns the pid on the host. */
export function execDetached(settings: Settings, id: string, options: ExecOptions): number {
  const container = loadContainer(settings, id)
  checkStatus(container)
  const spec = parseSpec(readFileSync(container.info.runtimePath('config.json')))
  const process = processOf(spec, options)
  return startProcess({ settings, container, spec, process, options, proxy: undefined })
}

function checkStatus({ status, info: { containerId: id } }: Container): void {
  if (status === 'stopped') throw new RuntimeError('wrong-state', `${phrase.execStopped}: ${phrase.notRunning}: ${id}`)
  if (status === 'paused') throw new RuntimeError('wrong-state', `${phrase.execPaused}: ${id}`)
  if (status === 'creating')
    throw new RuntimeError('wrong-state', `exec in ${id}: it is still being created: try again`)
}

function processOf(spec: Spec, options: ExecOptions): Process {
  if (options.processFile === undefined) return processOfFlags(spec.process, options)
  const process = parseProcess(readDocument(options.processFile))
  checkProcessSupport(process)
  return { ...process, terminal: process.terminal || options.tty }
}

interface Starting {
  readonly settings: Settings
  readonly container: Container
  readonly spec: Spec
  readonly process: Process
  readonly options: ExecOptions
  readonly proxy: TerminalProxy | undefined
}

/** Returns the pid of the process, which is this process's child, when its program has been executed. */
function startProcess({ settings, container, spec, process, options, proxy }: Starting): number {
  const fds = new Undo()
  const keep = (fd: number): number => {
    fds.push(() => closeSync(fd))
    return fd
  }
  try {
    const { init, facts, info } = container
    const target = init && openProcess(init.init)
    if (!init || target === undefined)
      throw new RuntimeError('wrong-state', `${phrase.notRunning}: ${info.containerId}`)
    const pidfd = keep(target)
    const consoleSocket =
      options.consoleSocket === undefined ? proxy?.socket : keep(connectConsole(options.consoleSocket))
    const cgroupProcs = openCgroupProcs(cgroupDirectories(cgroupLayout(), facts.cgroupDir)).map(keep)
    const [reportRead, reportWrite] = pipe()
    keep(reportRead)
    const root = keep(openat2(-100, `/proc/${init.init.pid}/root`, { flags: O_PATH, resolve: 0 }))
    const plan = planExec({
      arch: hostArch(),
      process: processInputs(process, { seccomp: spec.linux?.seccomp, gates: facts, root }),
      namespaces: foreignNamespaces(init.init.pid),
      fds: { pidfd, cgroupProcs, report: reportWrite, consoleSocket, preserved: options.preserveFds ?? 0 },
    })
    const file = keep(memfdCreate('exec'))
    writeSync(file, compile(plan, reportWrite))
    fixStdio(process.user)
    const helper = spawn({
      path: companionsOf(settings).init,
      args: ['crio-lxc-init', String(file)],
      env: [],
      fds: [
        ...Array.from({ length: options.preserveFds ?? 0 }, (_, index) => 3 + index),
        ...cgroupProcs,
        ...(consoleSocket === undefined ? [] : [consoleSocket]),
        pidfd,
        reportWrite,
        file,
      ],
    })
    closeSync(reportWrite)
    const command = process.args[0] ?? ''
    const timeoutMs = settings.timeouts.startMs
    let pid: number | undefined
    for (;;) {
      const record = readRecord(reportRead, { timeoutMs, what: `execute ${command}` })
      if (record.kind === 'ready') {
        pid = record.value
        wait(helper)
        proxy?.connect()
      } else if (record.kind === 'end') {
        if (pid !== undefined) return pid
        wait(helper)
        throw new RuntimeError(
          'exec-failed',
          `${phrase.notRunning}: ${info.containerId}: it ended while it was entered`,
        )
      } else {
        if (pid !== undefined) wait(pid)
        const step = plan.steps[record.step]
        if (!step) throw new RuntimeError('exec-failed', `init reported an unknown step ${record.step}`)
        throw stepError('exec-failed', { what: step.what, call: callText(step), errno: record.errno, command })
      }
    }
  } catch (error) {
    proxy?.close()
    throw error
  } finally {
    fds.run(undefined)
  }
}

/** CLONE_NEW* of every namespace in which `pid` is not with this process. */
function foreignNamespaces(pid: number): number {
  let flags = 0
  for (const { file, flag } of Object.values(namespaceKinds)) {
    const own = statSync(`/proc/${ownPid}/ns/${file}`, { throwIfNoEntry: false })
    const other = statSync(`/proc/${pid}/ns/${file}`, { throwIfNoEntry: false })
    if (own && other && own.ino !== other.ino) flags |= flag
  }
  return flags
}
