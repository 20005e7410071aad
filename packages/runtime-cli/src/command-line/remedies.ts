/** What to do about what may happen to any system call, for sentences that end with its cause alone. PURE. */

const remedies: readonly (readonly [RegExp, string])[] = [
  [/: too many open files$/, 'raise the limit of open files (ulimit -n)'],
  [/: too many open files in system$/, 'raise fs.file-max'],
  [/: stack overflow$/, 'raise the limit of the stack (ulimit -s)'],
  [/: (cannot allocate|out of) memory$/, 'free memory, or raise the limits of this process and of its cgroup'],
  [/^(fork|start)\b.*: resource temporarily unavailable$/, 'allow more processes (pids.max of the cgroup, ulimit -u)'],
  // Of mounts and cgroups it means another limit.
  [/^(?!.*\b(mount|cgroup)).*: no space left on device$/, 'free space, or inodes, on its filesystem'],
  [/: file too large$/, 'raise the limit of file sizes (ulimit -f)'],
  [/: read-only file system$/, 'mount it writable'],
  [/^open \/proc\/\S+: no such file or directory$/, 'mount /proc'],
]

/** `: mount /proc`; empty when the sentence says what to do, or there is nothing to say of its cause. */
export function remedyFor(sentence: string): string {
  const remedy = remedies.find(([pattern]) => pattern.test(sentence))
  return remedy === undefined ? '' : `: ${remedy[1]}`
}
