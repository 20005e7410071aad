/** HOME for a process whose environment has none, or an empty one: the image's passwd decides, as in runc. */
import { closeSync, fstatSync, readSync } from 'node:fs'
import { O_NONBLOCK, O_RDONLY, RESOLVE_IN_ROOT, RESOLVE_NO_MAGICLINKS } from '@crio-lxc/core/abi/constants'
import { textOfBytes } from '@crio-lxc/core/plan/byte-text'
import { openat2 } from '@crio-lxc/core/sys/libc'

const MAX_PASSWD_BYTES = 1024 * 1024

/**
 * The home of `uid` in /etc/passwd below the directory `root`, its bytes as byte-text.ts has them; "/" when there is no such
 * line or file.
 */
export function homeOf(uid: number, root: number): string {
  const line = readPasswd(root).find(([, , id = '']) => /^\d+$/.test(id) && Number(id) === uid)
  return textOfBytes(Buffer.from(line?.[5] || '/', 'latin1'))
}

function readPasswd(root: number): string[][] {
  let fd: number
  try {
    // O_NONBLOCK: the image decides what the file is, and a fifo must not hold the runtime.
    fd = openat2(root, 'etc/passwd', { flags: O_RDONLY | O_NONBLOCK, resolve: RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS })
  } catch {
    return []
  }
  try {
    const { size } = fstatSync(fd)
    if (!fstatSync(fd).isFile() || size > MAX_PASSWD_BYTES) return []
    const text = Buffer.alloc(size)
    return text
      .toString('latin1', 0, readSync(fd, text))
      .split('\n')
      .map((line) => line.split(':'))
  } finally {
    closeSync(fd)
  }
}
