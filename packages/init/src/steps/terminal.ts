/**
 * Steps that give a process a terminal of the container's own devpts (CVE-2025-52565: everything by fd), hand its
 * master to the caller, and make it the controlling terminal.
 */
import {
  AT_EMPTY_PATH,
  O_CLOEXEC,
  O_NOCTTY,
  O_PATH,
  O_RDWR,
  OPEN_TREE_CLOEXEC,
  OPEN_TREE_CLONE,
  RESOLVE_BENEATH,
  RESOLVE_NO_MAGICLINKS,
  RESOLVE_NO_SYMLINKS,
  RESOLVE_NO_XDEV,
  SCM_RIGHTS,
  SOL_SOCKET,
  TIOCGPTPEER,
  TIOCSCTTY,
  TIOCSPTLCK,
  TIOCSWINSZ,
} from '@crio-lxc/core/abi/constants'
import { errnoTable } from '@crio-lxc/core/abi/errno'
import type { ConsoleSize } from '@crio-lxc/core/oci/spec'
import { type Arg, Label, type Plan, type Slot, setUint64 } from '@crio-lxc/core/plan/plan'
import { openHow } from '@crio-lxc/core/plan/structs'
import { planCompareFilesystem } from '../compare.ts'
import { attach, ensureTarget, openInRoot, refuseProcfs } from '../inside-root.ts'

/** sizeof(struct msghdr), and of a control message with one fd. */
const MSGHDR_BYTES = 56
const CMSG_BYTES = 24
const CMSG_LEN = 20
const TCSETS = 0x5402
/** struct termios of the kernel: four words of flags, the line discipline, the control characters. */
const TERMIOS_BYTES = 36
/** ICRNL|IXON; OPOST; B38400|CS8|CREAD; ISIG|ICANON|ECHO|ECHOE|ECHOK|ECHOCTL|ECHOKE|IEXTEN. */
const STANDARD_FLAGS = [0x500, 0x1, 0xbf, 0x8a3b] as const
/** INIT_C_CC. */
const STANDARD_CHARACTERS = [3, 28, 127, 21, 4, 0, 1, 0, 17, 19, 26, 0, 18, 15, 23, 22, 0, 0, 0] as const

/** Who gets the master. */
export interface Console {
  /** Connected AF_UNIX stream socket that takes it. */
  readonly socket: number
  /** The terminal puts no carriage return before a line feed. */
  readonly plainLines: boolean
}

export interface TerminalInputs extends Console {
  /** Root below which /dev/pts/ptmx is opened. */
  readonly root: Arg
  readonly size: ConsoleSize | undefined
  /** Owner of the terminal: process.user. */
  readonly uid: number
}

/** Opens a terminal and sends its master away; returns the slave. */
export function planTerminal(plan: Plan, { root, socket, plainLines, size, uid }: TerminalInputs): Slot {
  const master = plan.slot('terminal master')
  const slave = plan.slot('terminal')
  planOpenMaster(plan, root, master)
  const unlock = plan.struct(
    4,
    () => '[0]',
    () => undefined,
  )
  plan.step('unlock the terminal', 'ioctl', [master, TIOCSPTLCK, unlock])
  // TIOCGPTPEER opens the peer of this master; a path below /dev/pts could be replaced by the image.
  plan.step('open the peer of the terminal', 'ioctl', [master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC], {
    result: slave,
  })
  if (plainLines) planPlainLines(plan, slave)
  if (size) {
    const winsize = plan.struct(
      8,
      () => `{${size.height} rows, ${size.width} columns}`,
      (view, at) => {
        view.setUint16(at, size.height, true)
        view.setUint16(at + 2, size.width, true)
      },
    )
    plan.step('set process.consoleSize', 'ioctl', [slave, TIOCSWINSZ, winsize])
  }
  plan.step('set the owner of the terminal', 'fchown', [slave, uid, -1])
  planSend(plan, { socket, fd: master })
  plan.step('close the terminal master', 'close', [master])
  return slave
}

/** The modes of a new terminal (tty_std_termios of the kernel) without ONLCR: a plan cannot change one bit of a word. */
function planPlainLines(plan: Plan, slave: Slot): void {
  const termios = plan.struct(
    TERMIOS_BYTES,
    () => '{a new terminal, without ONLCR}',
    (view, at) => {
      STANDARD_FLAGS.forEach((flags, index) => {
        view.setUint32(at + 4 * index, flags, true)
      })
      STANDARD_CHARACTERS.forEach((character, index) => {
        view.setUint8(at + 17 + index, character)
      })
    },
  )
  plan.step('put no carriage return before a line feed', 'ioctl', [slave, TCSETS, termios])
}

const DEVPTS_SUPER_MAGIC = 0x1cd1

/** The ptmx of a devpts and nothing else: of a device of the image, the driver would run by its being opened. */
function planOpenMaster(plan: Plan, root: Arg, master: Slot): void {
  const directory = plan.slot('/dev/pts')
  const what = 'open /dev/pts for process.terminal'
  openInRoot(plan, { root, path: '/dev/pts' }, { what, flags: O_PATH | plan.arch.O_DIRECTORY, result: directory })
  const differs = new Label()
  const end = new Label()
  planCompareFilesystem(plan, { what: '/dev/pts', fd: directory, magic: DEVPTS_SUPER_MAGIC }, differs)
  const how = openHow(plan, {
    flags: O_RDWR | O_NOCTTY | O_CLOEXEC,
    resolve: RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
  })
  const open: readonly Arg[] = [directory, plan.string('ptmx'), how, 24]
  plan.step('open /dev/pts/ptmx for process.terminal', 'openat2', open, { result: master })
  plan.step('close /dev/pts', 'close', [directory], { onOk: end })
  plan.place(differs)
  plan.step('open /dev/pts/ptmx for process.terminal: /dev/pts is no devpts', 'fail', [errnoTable.ENODEV[0]])
  plan.place(end)
}

/** Binds the terminal on /dev/console (config-linux.md, "Default Devices"). */
export function planConsole(plan: Plan, root: number, slave: Slot): void {
  const target = ensureTarget(plan, { root, path: '/dev/console', directory: false, what: '/dev/console' })
  refuseProcfs(plan, target, { path: '/dev/console', pointer: 'process.terminal' })
  const copy = plan.slot('console')
  const flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH
  plan.step('bind the terminal for /dev/console', 'open_tree', [slave, plan.string(''), flags], { result: copy })
  attach(plan, 'attach the terminal to /dev/console', [copy, target])
  plan.step('close the console', 'close', [copy])
  plan.step('close /dev/console', 'close', [target])
}

/** Makes the terminal stdin, stdout, stderr and the controlling terminal of a new session. */
export function planControllingTerminal(plan: Plan, slave: Slot): void {
  plan.step('become a session leader', 'setsid', [], { ignore: ['EPERM'] })
  for (const fd of [0, 1, 2]) plan.step(`make the terminal fd ${fd}`, 'dup3', [slave, fd, 0])
  plan.step('close the terminal', 'close', [slave])
  plan.step('make the terminal the controlling one', 'ioctl', [0, TIOCSCTTY, 0])
}

/** sendmsg with one fd: the byte count conmon and containerd expect is any name shorter than 4096. */
function planSend(plan: Plan, { socket, fd }: { socket: number; fd: Slot }): void {
  const name = plan.string('/dev/console')
  const vector = plan.struct(
    16,
    () => '["/dev/console"]',
    (view, at) => {
      setUint64(view, at, name.address)
      setUint64(view, at + 8, name.length)
    },
  )
  const control = plan.struct(
    CMSG_BYTES,
    () => '{SOL_SOCKET, SCM_RIGHTS, [terminal master]}',
    (view, at) => {
      setUint64(view, at, CMSG_LEN)
      view.setUint32(at + 8, SOL_SOCKET, true)
      view.setUint32(at + 12, SCM_RIGHTS, true)
    },
  )
  const message = plan.struct(
    MSGHDR_BYTES,
    () => '{"/dev/console", SCM_RIGHTS [terminal master]}',
    (view, at) => {
      setUint64(view, at + 16, vector.address)
      setUint64(view, at + 24, 1)
      setUint64(view, at + 32, control.address)
      setUint64(view, at + 40, CMSG_BYTES)
    },
  )
  // The fd's word ends the control message: `move` puts it there because a fd is only known when it is open.
  plan.step('put the terminal master into the message', 'move', [fd], { result: plan.wordAt(control, 16) })
  plan.step('send the terminal master to the console socket', 'sendmsg', [socket, message, 0])
}
