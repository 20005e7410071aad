import { AF_INET, IFF_UP, SIOCSIFFLAGS, SOCK_CLOEXEC, SOCK_DGRAM } from '@crio-lxc/core/abi/constants'
import type { Plan } from '@crio-lxc/core/plan/plan'

/** Brings `lo` up in a new network namespace, as every OCI runtime does; netdevice(7). */
export function planLoopback(plan: Plan): void {
  const socket = plan.slot('socket')
  const request = plan.struct(
    40,
    () => '{"lo", IFF_UP}',
    (view, at) => {
      view.setUint8(at, 0x6c)
      view.setUint8(at + 1, 0x6f)
      view.setUint16(at + 16, IFF_UP, true)
    },
  )
  plan.step('open a socket to configure lo', 'socket', [AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0], { result: socket })
  plan.step('bring lo up', 'ioctl', [socket, SIOCSIFFLAGS, request])
  plan.step('close the socket', 'close', [socket])
}
