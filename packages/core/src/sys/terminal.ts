/** Terminals: modes and sizes; ioctl_tty(2), termios(3). */

import { Struct } from '../abi/bytes.ts'
import { F_SETFL, O_NONBLOCK, O_RDWR } from '../abi/constants.ts'
import { call } from './syscall.ts'

const TCGETS = 0x5401
const TCSETSW = 0x5403
const TIOCGWINSZ = 0x5413
const TIOCSWINSZ = 0x5414
/** struct termios of the kernel: four 32-bit flag words, a line discipline, 19 control characters. */
const TERMIOS_BYTES = 36

/** The terminal's modes, for `restoreModes`. Throws SyscallError ENOTTY when `fd` is no terminal. */
export function readModes(fd: number): Struct {
  const modes = new Struct(TERMIOS_BYTES)
  call('ioctl', [fd, TCGETS, modes], () => `ioctl(${fd}, TCGETS)`)
  return modes
}

/** Whether what is typed comes to the reader by lines, and EOT ends them; termios(3), ICANON. */
export function takesLines(fd: number): boolean {
  return (readModes(fd).u32(12) & 2) !== 0
}

export function restoreModes(fd: number, modes: Struct): void {
  call('ioctl', [fd, TCSETSW, modes], () => `ioctl(${fd}, TCSETSW)`)
}

/** What cfmakeraw(3) does: every byte goes through as it is. */
export function makeRaw(fd: number, modes: Struct): void {
  const raw = new Struct(TERMIOS_BYTES)
  raw.set(modes)
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
  raw.set32(8, raw.u32(8) | CS8)
  clear(raw, 12, ECHO | ECHONL | ICANON | ISIG | IEXTEN)
  restoreModes(fd, raw)
}

/** Input comes byte by byte and is not shown; what the keys for signals do stays. */
export function makeUnbuffered(fd: number, modes: Struct): void {
  const changed = new Struct(TERMIOS_BYTES)
  changed.set(modes)
  const [ECHO, ICANON] = [8, 2]
  clear(changed, 12, ECHO | ICANON)
  restoreModes(fd, changed)
}

function clear(modes: Struct, offset: number, bits: number): void {
  modes.set32(offset, modes.u32(offset) & ~bits)
}

/** A write that finds the terminal full returns at once; of a description that nobody else has (F_SETFL, fcntl(2)). */
export function setNonBlocking(fd: number): void {
  const flags = O_RDWR | O_NONBLOCK
  call('fcntl', [fd, F_SETFL, flags], () => `fcntl(${fd}, F_SETFL)`)
}

/** Rows and columns of the terminal; undefined when `fd` is none. */
export function readSize(fd: number): { height: number; width: number } | undefined {
  const size = new Struct(8)
  try {
    call('ioctl', [fd, TIOCGWINSZ, size], () => `ioctl(${fd}, TIOCGWINSZ)`)
  } catch {
    return undefined
  }
  return { height: size.u16(0), width: size.u16(2) }
}

/** Gives the terminal `to` the size of the terminal `from`. */
export function copySize(from: number, to: number): void {
  const size = new Struct(8)
  call('ioctl', [from, TIOCGWINSZ, size], () => `ioctl(${from}, TIOCGWINSZ)`)
  call('ioctl', [to, TIOCSWINSZ, size], () => `ioctl(${to}, TIOCSWINSZ)`)
}
