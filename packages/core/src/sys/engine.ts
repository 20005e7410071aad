/**
 * What the program asks of the engine that runs it: one foreign function, memory, and what the process was started with.
 * Everything else is TypeScript over system calls. packages/core/engine/engine.c offers it in the executables; on Node,
 * for tests and debuggers, node-engine.ts does.
 */

import type { LinkedFunction } from './linked-functions.ts'

/**
 * A machine word: a number, the address of an array's bytes, or of a text's with a NUL behind; null is 0, as is what is left out. Bytes stay
 * where they are as long as the array is in use, a text's until the call returns.
 */
export type Word = number | bigint | string | Uint8Array | null

/** Signals that the process takes as data (signals.ts). */
export interface HeldSignals {
  /** To be waited for. */
  readonly fd: number
  /** Those that have come since the last call, each once. */
  take(): number[]
  /** They do to this process again what they do by default. */
  close(): void
}

/** A thread of a program that embeds the runtime: the process is not the runtime's own, and the thread is for one call. */
export interface EmbeddedThread {
  /** eventfd(2): it has input once the caller gives up. undefined: nobody can, or has, and all has been undone since. */
  interrupt: number | undefined
}

/** Functions of a shared library that nothing is linked with (liblxc/library.ts). */
export interface ForeignLibrary {
  /** Returns a word, as `call` of the engine does. */
  call(name: string, ...words: readonly Word[]): number
  /** The same for the function at an address. */
  callAt(address: number, ...words: readonly Word[]): number
  /** A copy of what lies at an address. */
  read(address: number, length: number): Uint8Array
}

export interface Engine {
  readonly arch: 'x64' | 'arm64'
  /** argv; text as `decode` makes it. */
  readonly arguments: readonly string[]
  /** environ(7): `NAME=value`. */
  readonly environment: readonly string[]
  /** Milliseconds of CLOCK_MONOTONIC when the engine began. */
  readonly startedAt: number
  /** What the kernel returns: from -4095 to -1 it is an errno, negated. */
  syscall(number: number, ...words: readonly (Word | undefined)[]): number
  /** What a function of libc or libseccomp returns, as a word: of an int the upper half means nothing. */
  call(name: LinkedFunction, ...words: readonly Word[]): number
  address(bytes: Uint8Array): number
  /** UTF-8; a lone surrogate U+DC80 to U+DCFF is the byte 0x80 to 0xFF that it stands for. */
  encode(text: string): ArrayBuffer
  /** The reverse: a byte that is no part of UTF-8 becomes a lone surrogate, so that any name survives. */
  decode(bytes: Uint8Array): string
  /** Only where the program's own file does not say it: libexec/crio-lxc. */
  readonly libexec?: string
  /** Only where other threads take the signals of the process (signals.ts). */
  holdSignals?(signals: readonly number[]): HeldSignals
  /** Only where signals are taken between two jobs, so that waiting must be one (fd.ts). */
  waitFor?(entries: Uint8Array, count: number, timeoutMs: number): Promise<number>
  /** Only in a program that embeds the runtime (packages/runtime-cli/src/library). */
  readonly thread?: EmbeddedThread
  /** Only on Node. Throws when the library cannot be loaded. */
  foreign?(library: string): ForeignLibrary
}

export const engine = (globalThis as unknown as { engine: Engine }).engine
