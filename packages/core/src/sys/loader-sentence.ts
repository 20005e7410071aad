/** What the dynamic loader says, as the engines pass it on: dlerror(3) behind words of their own. */
import { messageOf } from '../errors/runtime-error.ts'

/** `cannot open shared object file: no such file or directory`, with the name of another library when it is that one's fault. */
export function loaderSentence(error: unknown): string {
  return messageOf(error)
    .replace(/^Failed to (?:open library "[^"]*"|load shared library): /, '')
    .replace(/^\S*\/(?=[^/\s]+: )/, '')
    .replace(/: ([A-Z])(?=[a-z])/g, (_, letter: string) => `: ${letter.toLowerCase()}`)
    .replace(/^[A-Z](?=[a-z])/, (letter) => letter.toLowerCase())
}
