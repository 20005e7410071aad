import { systemBusSockets } from '@crio-lxc/core/host/systemd/system-bus-address'
import { expect, test } from 'vitest'

test.each([
  ['', ['/run/dbus/system_bus_socket']],
  ['unix:path=/run/bus', ['/run/bus']],
  ['unix:guid=1,path=/run/b%20s,x=y;tcp:host=h;unix:path=/b', ['/run/b s', '/b']],
  ['unix:abstract=/x', []],
])('systemBusSockets(%s)', (address, sockets) => {
  expect(systemBusSockets(address)).toEqual(sockets)
})
