/** Linux error numbers (asm-generic/errno.h) with the sentence of strerror(3), for those the runtime may meet. */
export const errnoTable = {
  EPERM: [1, 'operation not permitted'],
  ENOENT: [2, 'no such file or directory'],
  ESRCH: [3, 'no such process'],
  EINTR: [4, 'interrupted system call'],
  EIO: [5, 'input/output error'],
  ENXIO: [6, 'no such device or address'],
  E2BIG: [7, 'argument list too long'],
  ENOEXEC: [8, 'exec format error'],
  EBADF: [9, 'bad file descriptor'],
  ECHILD: [10, 'no child processes'],
  EAGAIN: [11, 'resource temporarily unavailable'],
  ENOMEM: [12, 'cannot allocate memory'],
  EACCES: [13, 'permission denied'],
  EFAULT: [14, 'bad address'],
  ENOTBLK: [15, 'block device required'],
  EBUSY: [16, 'device or resource busy'],
  EEXIST: [17, 'file exists'],
  EXDEV: [18, 'invalid cross-device link'],
  ENODEV: [19, 'no such device'],
  ENOTDIR: [20, 'not a directory'],
  EISDIR: [21, 'is a directory'],
  EINVAL: [22, 'invalid argument'],
  ENFILE: [23, 'too many open files in system'],
  EMFILE: [24, 'too many open files'],
  ENOTTY: [25, 'inappropriate ioctl for device'],
  ETXTBSY: [26, 'text file busy'],
  EFBIG: [27, 'file too large'],
  ENOSPC: [28, 'no space left on device'],
  ESPIPE: [29, 'illegal seek'],
  EROFS: [30, 'read-only file system'],
  EMLINK: [31, 'too many links'],
  EPIPE: [32, 'broken pipe'],
  EDOM: [33, 'numerical argument out of domain'],
  ERANGE: [34, 'numerical result out of range'],
  ENAMETOOLONG: [36, 'file name too long'],
  ENOSYS: [38, 'function not implemented'],
  ENOTEMPTY: [39, 'directory not empty'],
  ELOOP: [40, 'too many levels of symbolic links'],
  ENODATA: [61, 'no data available'],
  ELIBBAD: [80, 'accessing a corrupted shared library'],
  EUSERS: [87, 'too many users'],
  ENOTSOCK: [88, 'socket operation on non-socket'],
  EOPNOTSUPP: [95, 'operation not supported'],
  EADDRINUSE: [98, 'address already in use'],
  ECONNREFUSED: [111, 'connection refused'],
  ESTALE: [116, 'stale file handle'],
  EDQUOT: [122, 'disk quota exceeded'],
  ECANCELED: [125, 'operation canceled'],
} as const satisfies Record<string, readonly [number: number, sentence: string]>

export type Errno = keyof typeof errnoTable

let names: ReadonlyMap<number, Errno> | undefined

/** Most processes never ask; who asks for one asks for many, as a file that is not there is no failure. */
function nameOf(number: number): Errno | undefined {
  names ??= new Map((Object.keys(errnoTable) as Errno[]).map((name) => [errnoTable[name][0], name]))
  return names.get(number)
}

/** The name of an error number, or `E<number>` for one outside the table. */
export function errnoName(number: number): string {
  return nameOf(number) ?? `E${number}`
}

/** `ENOENT` as "no such file or directory"; an unknown one as "error 133". */
export function errnoSentence(number: number): string {
  const name = nameOf(number)
  return name === undefined ? `error ${number}` : errnoTable[name][1]
}
