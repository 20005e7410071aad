/** HOME for a process whose environment has none, or an empty one: the image's passwd decides, as in runc. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { O_NOCTTY, O_PATH, O_RDONLY, RESOLVE_IN_ROOT, RESOLVE_NO_MAGICLINKS } from '@crio-lxc/core/abi/constants'
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
  const fd = openPasswd(root)
  if (fd === undefined) return []
  try {
    const { size } = fstatSync(fd)
    if (size > MAX_PASSWD_BYTES) return []
    const text = Buffer.alloc(size)
    return text
      .toString('latin1', 0, readSync(fd, text))
      .split('\n')
      .map((line) => line.split(':'))
  } finally {
    closeSync(fd)
  }
}

/** The image decides what it is: nothing but a regular file is opened, as to open a device or a fifo is an act of its own. */
function openPasswd(root: number): number | undefined {
  try {
    const found = openat2(root, 'etc/passwd', { flags: O_PATH, resolve: RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS })
    try {
      return fstatSync(found).isFile() ? openSync(`/proc/self/fd/${found}`, O_RDONLY | O_NOCTTY) : undefined
    } finally {
      closeSync(found)
    }
  } catch {
    return undefined
  }
}
