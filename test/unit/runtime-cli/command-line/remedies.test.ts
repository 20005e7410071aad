import { expect, it } from 'vitest'
import { remedyFor } from '../../../../packages/runtime-cli/src/command-line/remedies.ts'

it.each([
  ['open /dev/null: too many open files', ': raise the limit of open files (ulimit -n)'],
  ['open /dev/null: too many open files in system', ': raise fs.file-max'],
  ['internal error: stack overflow', ': raise the limit of the stack (ulimit -s)'],
  ['clone: cannot allocate memory', ': free memory, or raise the limits of this process and of its cgroup'],
  ['internal error: out of memory', ': free memory, or raise the limits of this process and of its cgroup'],
  ['fork: clone(0): resource temporarily unavailable', ': allow more processes (pids.max of the cgroup, ulimit -u)'],
  ['write /run/crio-lxc/web: no space left on device', ': free space, or inodes, on its filesystem'],
  ['write /run/crio-lxc/web: file too large', ': raise the limit of file sizes (ulimit -f)'],
  ['mkdir /run/crio-lxc: read-only file system', ': mount it writable'],
  ['open /proc/self/exe: no such file or directory', ': mount /proc'],
])('says what to do about "%s"', (sentence, remedy) => {
  expect(remedyFor(sentence)).toBe(remedy)
})

it.each([
  // The limits of mounts and of cgroups.
  'mount tmpfs on /tmp for mounts[3]: no space left on device',
  'create cgroup /sys/fs/cgroup/web: no space left on device',
  // The sentence says itself what to do.
  'write the pid file /x/pid: no such file or directory: make its directory first',
  'open /dev/null: too many open files: wait',
  'open root.path /proc: no such file or directory',
])('has nothing to add to "%s"', (sentence) => {
  expect(remedyFor(sentence)).toBe('')
})
