/** What a kind of failure means to whoever meets it. */
export interface ErrorKind {
  readonly meaning: string
  readonly advice: string
}

/**
 * Every kind of failure that a user or a caller may see: `errorCode` in the logs, docs/errors.md (`npm run docs`) and `explain`, which
 * alone reads the words, so that no other verb loads them.
 */
export const errorKinds = {
  usage: {
    meaning: 'the command line, or a variable in place of an option, is wrong',
    advice: 'give what the sentence names; `crio-lxc VERB --help` lists what there is',
  },
  'invalid-id': {
    meaning: 'the container ID has a character that is not allowed, or too many of them',
    advice: 'use up to 254 letters, digits and `_ + - .`, and neither `.` nor `..` alone',
  },
  'invalid-spec': {
    meaning: 'config.json or process.json is no JSON, or a field asks for what cannot be',
    advice: 'change the field that the sentence begins with',
  },
  unsupported: {
    meaning: 'what is asked for is well-formed, and this program, its libraries or this host cannot do it',
    advice: 'leave it out, or use a host that has it; [spec-conformance.md](spec-conformance.md) lists the fields',
  },
  exists: {
    meaning: 'a container has the ID already',
    advice: 'choose another ID, or delete the container that has it',
  },
  'not-exist': {
    meaning: 'no container has the ID, below this `--root`',
    advice: 'look with `crio-lxc list`, with the same `--root`; what is left of a damaged one `delete --force` removes',
  },
  'wrong-state': {
    meaning: 'the container is, or is just becoming, what the verb does not work on',
    advice: 'bring it to the state that the sentence asks for (`crio-lxc state`), or try again when it is on its way',
  },
  'not-running': {
    meaning: 'the container has no process to signal any more',
    advice: 'nothing: it has ended; delete it',
  },
  'create-failed': {
    meaning: 'a step of making the container, or its program, was refused by the kernel; nothing is left of it',
    advice: 'look at the path, the field and the errno of the sentence; the same call succeeds once the cause is gone',
  },
  'start-failed': {
    meaning: 'init could not become the program',
    advice: 'look at the cause in the sentence, then delete the container and create it again',
  },
  'exec-failed': {
    meaning: 'the further process could not be started; the container goes on, and nothing of the process is left',
    advice: 'look at the program, the user and the directory that were given',
  },
  'hook-failed': {
    meaning: 'a hook of config.json failed, ran too long or could not be run',
    advice: "run the hook by hand with the container's state on its stdin; the sentence has its exit code and words",
  },
  cgroup: {
    meaning: 'a cgroup could not be made, limited, frozen, emptied or removed, or systemd refused its scope',
    advice: 'look at the file and the value in the sentence, and which controllers the host has (`crio-lxc features`)',
  },
  io: {
    meaning:
      'a file or a system call of the runtime itself failed: no space, no descriptors, no permission, a damaged file',
    advice: 'mend what the path and the errno say; a damaged container `delete --force` removes',
  },
  liblxc: {
    meaning: 'liblxc or its monitor could not start the container',
    advice: 'read its own lines, which are in the sentence and in the logs, and install liblxc 5.0 or newer',
  },
  timeout: {
    meaning: 'something did not happen within its time',
    advice:
      'see what holds it up, such as a frozen cgroup, a full disk or a busy host, or give `--create-timeout` and its kin',
  },
} as const satisfies Record<string, ErrorKind>

export type ErrorCode = keyof typeof errorKinds

/** Sentences that callers look for, with who reads them: each stands here once, and is pinned by test/unit/core/errors/codes.test.ts. */
export const phrase = {
  /** runc's users. The seed's ErrExist is told by its class. */
  exists: 'container with given ID already exists',
  /** containerd (delete: success; kill: no such container), podman state, the seed's ErrNotExist. */
  notExist: 'container does not exist',
  /** CRI-O runtimeCmd and containerd checkKillError: the container is already gone. */
  notRunning: 'container not running',
  invalidId: 'invalid container ID format',
  deleteRunning: 'cannot delete container that is not stopped',
  startStopped: 'cannot start a container that has stopped',
  startRunning: 'cannot start an already running container',
  execStopped: 'cannot exec in a stopped container',
  notPaused: 'container not paused',
  execPaused: 'cannot exec in a paused container',
} as const
