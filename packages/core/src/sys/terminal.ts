/** Terminals: modes and sizes; ioctl_tty(2), termios(3). */
import { F_SETFL, O_NONBLOCK, O_RDWR } from '../abi/constants.ts'
import { call } from './libc.ts'

const TCGETS = 0x5401
const TCSETSW = 0x5403
const TIOCGWINSZ = 0x5413
const TIOCSWINSZ = 0x5414
/** struct termios of the kernel: four 32-bit flag words, a line discipline, 19 control characters. */
const TERMIOS_BYTES = 36
const IOCTL = 'int ioctl(int fd, unsigned long request, void *argument)'

/** The terminal's modes, for `restoreModes`. Throws SyscallError ENOTTY when `fd` is no terminal. */
export function readModes(fd: number): Buffer {
  const modes = Buffer.alloc(TERMIOS_BYTES)
  call(IOCTL, [fd, TCGETS, modes], () => `ioctl(${fd}, TCGETS)`)
  return modes
}

export function restoreModes(fd: number, modes: Buffer): void {
  call(IOCTL, [fd, TCSETSW, modes], () => `ioctl(${fd}, TCSETSW)`)
}

/** What cfmakeraw(3) does: every byte goes through as it is. */
export function makeRaw(fd: number, modes: Buffer): void {
  const raw = Buffer.from(modes)
  const input = ['IGNBRK', 'BRKINT', 'PARMRK', 'ISTRIP', 'INLCR', 'IGNCR', 'ICRNL', 'IXON'] as const
  const inputBits = { IGNBRK: 1, BRKINT: 2, PARMRK: 8, ISTRIP: 32, INLCR: 64, IGNCR: 128, ICRNL: 256, IXON: 1024 }
  const OPOST = 1
  const [ECHO, ECHONL, ICANON, ISIG, IEXTEN] = [8, 64, 2, 1, 0o100000]
  const [CSIZE, PARENB, CS8] = [0o60, 0o400, 0o60]
  clear(
    raw,
    0,
    input.reduce((bits, name) => bits | inputBits[name], 0),
  )
  clear(raw, 4, OPOST)
  clear(raw, 8, CSIZE | PARENB)
  raw.writeUInt32LE(raw.readUInt32LE(8) | CS8, 8)
  clear(raw, 12, ECHO | ECHONL | ICANON | ISIG | IEXTEN)
  restoreModes(fd, raw)
}

/** Input comes byte by byte and is not shown; what the keys for signals do stays. */
export function makeUnbuffered(fd: number, modes: Buffer): void {
  const changed = Buffer.from(modes)
  const [ECHO, ICANON] = [8, 2]
  clear(changed, 12, ECHO | ICANON)
  restoreModes(fd, changed)
}

function clear(modes: Buffer, offset: number, bits: number): void {
  modes.writeUInt32LE((modes.readUInt32LE(offset) & ~bits) >>> 0, offset)
}

/** A write that finds the terminal full returns at once; of a description that nobody else has (F_SETFL, fcntl(2)). */
export function setNonBlocking(fd: number): void {
  const flags = O_RDWR | O_NONBLOCK
  call('int fcntl(int fd, int command, long arg)', [fd, F_SETFL, flags], () => `fcntl(${fd}, F_SETFL)`)
}

/** Rows and columns of the terminal; undefined when `fd` is none. */
export function readSize(fd: number): { height: number; width: number } | undefined {
  const size = Buffer.alloc(8)
  try {
    call(IOCTL, [fd, TIOCGWINSZ, size], () => `ioctl(${fd}, TIOCGWINSZ)`)
  } catch {
    return undefined
  }
  return { height: size.readUInt16LE(0), width: size.readUInt16LE(2) }
}

/** Gives the terminal `to` the size of the terminal `from`. */
export function copySize(from: number, to: number): void {
  const size = Buffer.alloc(8)
  call(IOCTL, [from, TIOCGWINSZ, size], () => `ioctl(${from}, TIOCGWINSZ)`)
  call(IOCTL, [to, TIOCSWINSZ, size], () => `ioctl(${to}, TIOCSWINSZ)`)
}
