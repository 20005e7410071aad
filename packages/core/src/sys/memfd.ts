/** Files in memory (memfd_create(2)). */
import { encode } from '../abi/bytes.ts'
import { close, type Fd, write } from './fd.ts'
import { call } from './syscall.ts'

const MFD_CLOEXEC = 1
const MFD_ALLOW_SEALING = 2
const F_ADD_SEALS = 1033
/** F_SEAL_SEAL, SHRINK, GROW and WRITE. */
const ALL_SEALS = 0xf

/** An empty one, CLOEXEC, for `fillSealed`. */
export function memfdCreate(name: string): Fd {
  return call('memfd_create', [name, MFD_CLOEXEC | MFD_ALLOW_SEALING], () => `memfd_create("${name}")`) as Fd
}

/** Nobody can change it any more, whoever gets hold of it; crio-lxc-init maps a plan privately, which stays writable. */
function seal(fd: number): void {
  call('fcntl', [fd, F_ADD_SEALS, ALL_SEALS], () => `fcntl(${fd}, F_ADD_SEALS)`)
}

/** One with `content` that nobody can change any more, at its beginning. */
export function sealedFile(name: string, content: string | Uint8Array): Fd {
  const fd = memfdCreate(name)
  try {
    fillSealed(fd, typeof content === 'string' ? encode(content) : content)
    return fd
  } catch (error) {
    close(fd)
    throw error
  }
}

/** Writes `bytes` into an empty one, whose offset stays at the beginning, and seals it. */
export function fillSealed(fd: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) at += write(fd, bytes.subarray(at), at)
  seal(fd)
}
