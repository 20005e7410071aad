/** Kernel structures that plans point at and this process fills in itself: sizes, and offsets of their members, in bytes. PURE. */

/** struct open_how of openat2(2). */
export const OPEN_HOW_BYTES = 24
export const OPEN_HOW_FLAGS = 0
export const OPEN_HOW_RESOLVE = 16

/** struct mount_attr of mount_setattr(2). */
export const MOUNT_ATTR_BYTES = 32
export const MOUNT_ATTR_SET = 0
export const MOUNT_ATTR_CLR = 8
export const MOUNT_ATTR_PROPAGATION = 16
export const MOUNT_ATTR_USERNS_FD = 24

/** struct rlimit64 of prlimit(2). */
export const RLIMIT_BYTES = 16
export const RLIMIT_CUR = 0
export const RLIMIT_MAX = 8
