/** HOME for a process whose environment has none, or an empty one: the image's passwd decides, as in runc. */
import { decode } from '@crio-lxc/core/abi/bytes'
import { O_NOCTTY, O_PATH, O_RDONLY, RESOLVE_IN_ROOT, RESOLVE_NO_MAGICLINKS } from '@crio-lxc/core/abi/constants'
import { close, type Fd, read } from '@crio-lxc/core/sys/fd'
import { fstat, openFile } from '@crio-lxc/core/sys/files'
import { openat2 } from '@crio-lxc/core/sys/mount'

const MAX_PASSWD_BYTES = 1024 * 1024

/**
 * The home of `uid` in /etc/passwd below the directory `root`, its bytes as abi/bytes.ts has them; "/" when there is no such
 * line or file.
 */
export function homeOf(uid: number, root: number): string {
  return homeIn(readPasswd(root), uid)
}

/** The same of the text of the file. */
export function homeIn(passwd: string, uid: number): string {
  const lines = passwd.split('\n').map((line) => line.split(':'))
  return lines.find(([, , id = '']) => /^\d+$/.test(id) && Number(id) === uid)?.[5] || '/'
}

/** Of no file, or of one that is none of a passwd's, nothing. */
function readPasswd(root: number): string {
  const fd = openPasswd(root)
  if (fd === undefined) return ''
  try {
    const { size } = fstat(fd)
    if (size > MAX_PASSWD_BYTES) return ''
    const text = new Uint8Array(size)
    return decode(text.subarray(0, read(fd, text)))
  } finally {
    close(fd)
  }
}

/** The image decides what it is: nothing but a regular file is opened, as to open a device or a fifo is an act of its own. */
function openPasswd(root: number): Fd | undefined {
  try {
    const found = openat2(root, 'etc/passwd', { flags: O_PATH, resolve: RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS })
    try {
      return fstat(found).isFile() ? openFile(`/proc/self/fd/${found}`, O_RDONLY | O_NOCTTY) : undefined
    } finally {
      close(found)
    }
  } catch {
    return undefined
  }
}
