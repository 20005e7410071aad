/** Global options that take no value, each between two spaces; global-options.ts has them all. */
const flags = ' debug systemd-cgroup seccomp capabilities apparmor cgroup-devices version v help h '

/** The first word that is neither an option nor the value of one, without loading what knows the options. */
export function verbOf(words: readonly string[]): string | undefined {
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? ''
    if (!word.startsWith('-')) return word
    if (!word.includes('=') && !flags.includes(` ${word.slice(word.startsWith('--') ? 2 : 1)} `)) at++
  }
  return undefined
}
