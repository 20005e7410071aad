/** A connection to a D-Bus socket, read and written in turn: the verbs have nothing to do meanwhile. */

import { concat, decode } from '../../abi/bytes.ts'
import { decodeMessage, encodeMessage, type Message, messageLength } from '../../dbus/message.ts'
import type { Value } from '../../dbus/signature.ts'
import { RuntimeError } from '../../errors/runtime-error.ts'
import { close, type Fd, poll, read, writeAll } from '../../sys/fd.ts'
import { effectiveUid, monotonicMs } from '../../sys/program.ts'
import { connectUnix } from '../../sys/unix-socket.ts'

/** A method call without what the connection adds. */
export interface Call {
  readonly destination: string
  readonly path: string
  readonly interface: string
  readonly member: string
  readonly signature?: string
  readonly body?: readonly Value[]
}

/** What a method answered instead of a reply. */
export class BusError extends Error {
  constructor(
    /** `org.freedesktop.systemd1.NoSuchUnit` */
    readonly errorName: string,
    message: string,
  ) {
    super(message)
  }
}

const NEWLINE = 0x0a

interface Deadline {
  /** By monotonicMs(). */
  readonly at: number
  readonly timeoutMs: number
}

function deadlineIn(timeoutMs: number): Deadline {
  return { at: monotonicMs() + timeoutMs, timeoutMs }
}

export class BusConnection {
  readonly #fd: Fd
  #received: Uint8Array = new Uint8Array()
  #serial = 0
  /** Signals that came before somebody waited for them. */
  readonly #signals: Message[] = []

  /** Connects and authenticates as the user of this process ("Authentication Protocol", EXTERNAL). Throws. */
  constructor(
    readonly socket: string,
    timeoutMs: number,
  ) {
    this.#fd = connectUnix(socket, { timeoutMs })
    try {
      // The digits of the uid in hexadecimal ASCII.
      const user = [...String(effectiveUid())].map((digit) => `3${digit}`).join('')
      writeAll(this.#fd, `\0AUTH EXTERNAL ${user}\r\nBEGIN\r\n`)
      const answer = this.#readLine(deadlineIn(timeoutMs))
      if (!answer.startsWith('OK '))
        throw new RuntimeError('cgroup', `authenticate at ${socket}: the answer is ${JSON.stringify(answer)}`)
    } catch (error) {
      this.close()
      throw error
    }
  }

  close(): void {
    close(this.#fd)
  }

  /** Sends the calls at once. Returns their replies; throws BusError for the first that failed, RuntimeError `timeout`. */
  call(calls: readonly Call[], timeoutMs: number): Message[] {
    const messages = calls.map((call): Message => ({ type: 'call', serial: ++this.#serial, ...call }))
    writeAll(this.#fd, concat(...messages.map(encodeMessage)))
    const deadline = deadlineIn(timeoutMs)
    return messages.map(({ serial, member }) => {
      for (;;) {
        const message = this.#read(deadline, `answer ${member}`)
        if (message.type === 'signal') this.#signals.push(message)
        if (message.replySerial !== serial) continue
        if (message.type === 'error') throw new BusError(message.errorName ?? '', String(message.body?.[0] ?? ''))
        return message
      }
    })
  }

  /** The next signal that `isWanted`, among those that came already. Throws RuntimeError `timeout`. */
  waitForSignal(
    isWanted: (signal: Message) => boolean,
    { timeoutMs, what }: { timeoutMs: number; what: string },
  ): Message {
    const deadline = deadlineIn(timeoutMs)
    for (;;) {
      const message = this.#signals.shift() ?? this.#read(deadline, what)
      if (message.type === 'signal' && isWanted(message)) return message
    }
  }

  #readLine(deadline: Deadline): string {
    for (;;) {
      const end = this.#received.indexOf(NEWLINE) - 1
      if (end >= 0) {
        const line = decode(this.#received.subarray(0, end))
        this.#received = this.#received.subarray(end + 2)
        return line
      }
      this.#receive(deadline, 'authenticate')
    }
  }

  #read(deadline: Deadline, what: string): Message {
    for (;;) {
      const length = messageLength(this.#received)
      if (length !== undefined && length <= this.#received.length) {
        const message = decodeMessage(this.#received.subarray(0, length))
        this.#received = this.#received.subarray(length)
        return message
      }
      this.#receive(deadline, what)
    }
  }

  #receive(deadline: Deadline, what: string): void {
    const left = Math.max(0, Math.ceil(deadline.at - monotonicMs()))
    const [ready] = poll([this.#fd], left)
    if (!ready)
      throw new RuntimeError(
        'timeout',
        `wait at ${this.socket} for systemd to ${what}: it took longer than ${deadline.timeoutMs} ms`,
      )
    const bytes = new Uint8Array(65536)
    const count = read(this.#fd, bytes)
    if (count === 0) throw new RuntimeError('cgroup', `${what} at ${this.socket}: the connection was closed`)
    this.#received = concat(this.#received, bytes.subarray(0, count))
  }
}
