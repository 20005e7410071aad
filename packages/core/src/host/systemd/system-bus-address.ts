/** Where the system bus listens (D-Bus specification, "Server Addresses"). */
import { environment } from '../../sys/program.ts'

const DEFAULT = '/run/dbus/system_bus_socket'

/** Paths of sockets, in the order in which they are to be tried; addresses that are no path are left out. */
export function systemBusSockets(address: string | undefined = environment()['DBUS_SYSTEM_BUS_ADDRESS']): string[] {
  if (!address) return [DEFAULT]
  return address.split(';').flatMap((one) => {
    const [, path] = /^unix:(?:.*,)?path=([^,]+)/.exec(one) ?? []
    return path === undefined ? [] : [decodeURIComponent(path)]
  })
}
