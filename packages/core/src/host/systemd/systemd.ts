/** systemd's Manager over D-Bus: org.freedesktop.systemd1(5). */

import type { Property, Value, Variant } from '../../dbus/signature.ts'
import { messageOf, RuntimeError } from '../../errors/runtime-error.ts'
import { BusConnection, BusError, type Call } from './bus-connection.ts'
import { systemBusSockets } from './system-bus-address.ts'

/** systemd's own socket, for root, on which no bus stands between. */
const PRIVATE_SOCKET = '/run/systemd/private'

const BUS = 'org.freedesktop.DBus'
const SYSTEMD = 'org.freedesktop.systemd1'
const PROPERTIES = 'org.freedesktop.DBus.Properties'
const MANAGER = `${SYSTEMD}.Manager`
const JOB_REMOVED = `type='signal',sender='${SYSTEMD}',interface='${MANAGER}',member='JobRemoved'`

export class Systemd {
  readonly #bus: BusConnection
  readonly #timeoutMs: number
  #version: number | undefined

  /** Connects to the system bus, or to systemd itself where there is none. `timeoutMs` bounds each call and job. */
  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs
    const failures: string[] = []
    for (const socket of [...systemBusSockets(), PRIVATE_SOCKET]) {
      try {
        this.#bus = open(socket, timeoutMs)
        return
      } catch (error) {
        failures.push(messageOf(error))
      }
    }
    throw new RuntimeError(
      'cgroup',
      `reach systemd, as --systemd-cgroup asks: ${failures.join(', ')}: run it on a host that systemd manages, or without the flag`,
    )
  }

  close(): void {
    this.#bus.close()
  }

  /** Returns when the unit is active. Throws BusError, and RuntimeError when the job fails. */
  startTransientUnit(unit: string, properties: readonly Property[]): void {
    this.#runJob(manager('StartTransientUnit', 'ssa(sv)a(sa(sv))', [unit, 'fail', properties as unknown as Value, []]))
  }

  /** Returns when the unit has stopped. Throws BusError, and RuntimeError when the job fails. */
  stopUnit(unit: string): void {
    this.#runJob(manager('StopUnit', 'ss', [unit, 'replace']))
  }

  /** Throws BusError. */
  resetFailedUnit(unit: string): void {
    this.#bus.call([manager('ResetFailedUnit', 's', [unit])], this.#timeoutMs)
  }

  /** 252; 0 when it cannot be told. Throws BusError. */
  version(): number {
    this.#version ??= this.#askVersion()
    return this.#version
  }

  /**
   * Until the unit is gone, and not for the next of its name. Returns when systemd has applied them: it does so between
   * two calls. Throws BusError.
   */
  setUnitProperties(unit: string, properties: readonly Property[]): void {
    this.#bus.call(
      [manager('SetUnitProperties', 'sba(sv)', [unit, true, properties as unknown as Value])],
      this.#timeoutMs,
    )
    this.#version = this.#askVersion()
  }

  #askVersion(): number {
    const [reply] = this.#bus.call(
      [{ ...manager('Get', 'ss', [MANAGER, 'Version']), interface: PROPERTIES }],
      this.#timeoutMs,
    )
    const version = reply?.body?.[0] as Variant | undefined
    return Number.parseInt(/\d+/.exec(String(version?.value))?.[0] ?? '0', 10)
  }

  #runJob(call: Call): void {
    const [reply] = this.#bus.call([call], this.#timeoutMs)
    const job = reply?.body?.[0]
    const [unit] = call.body ?? []
    const signal = this.#bus.waitForSignal(({ member, body }) => member === 'JobRemoved' && body?.[1] === job, {
      timeoutMs: this.#timeoutMs,
      what: `finish ${call.member} of ${unit}`,
    })
    const result = signal.body?.[3]
    if (result !== 'done') throw new RuntimeError('cgroup', `${call.member} ${unit}: systemd's job ended: ${result}`)
  }
}

/** Was it this that failed? */
export function isBusError(error: unknown, name: 'NoSuchUnit' | 'UnitExists'): boolean {
  return error instanceof BusError && error.errorName === `${SYSTEMD}.${name}`
}

function open(socket: string, timeoutMs: number): BusConnection {
  const bus = new BusConnection(socket, timeoutMs)
  if (socket === PRIVATE_SOCKET) return bus
  try {
    // A bus wants to know who is there, and which signals to pass on; systemd sends them only to those that subscribe.
    bus.call([daemon('Hello'), daemon('AddMatch', 's', [JOB_REMOVED]), manager('Subscribe')], timeoutMs)
  } catch (error) {
    bus.close()
    throw new RuntimeError('cgroup', `${socket}: ${messageOf(error)}`, { cause: error })
  }
  return bus
}

function daemon(member: string, signature?: string, body?: readonly Value[]): Call {
  return { destination: BUS, path: '/org/freedesktop/DBus', interface: BUS, member, ...typed(signature, body) }
}

function manager(member: string, signature?: string, body?: readonly Value[]): Call {
  return {
    destination: SYSTEMD,
    path: '/org/freedesktop/systemd1',
    interface: MANAGER,
    member,
    ...typed(signature, body),
  }
}

function typed(signature: string | undefined, body: readonly Value[] = []): Pick<Call, 'signature' | 'body'> {
  return signature === undefined ? {} : { signature, body }
}
