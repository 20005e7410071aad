/** linux.netDevices (config-linux.md, "Network Devices"): names that Linux takes, and no name twice in the container. */
import { encode } from '../abi/bytes.ts'
import { SpecError } from '../errors/runtime-error.ts'
import { fieldOf } from './field-path.ts'
import type { Linux } from './linux.ts'

export function checkNetDevices({ netDevices = {} }: Linux): void {
  const seen = new Map<string, string>()
  for (const [name, { name: renamed }] of Object.entries(netDevices)) {
    const field = fieldOf('linux.netDevices', name)
    checkName(name, field)
    if (renamed) checkName(renamed, `${field}.name`)
    const target = renamed || name
    const other = seen.get(target)
    if (other !== undefined) throw new SpecError(field, `would be ${target} in the container, as ${other} is already`)
    seen.set(target, name)
  }
}

/** dev_valid_name of the kernel, without the pattern `%d`, for which it would choose a number. */
function checkName(name: string, field: string): void {
  if (/^[^\s/:%]+$/.test(name) && name !== '.' && name !== '..' && encode(name).length < 16) return
  throw new SpecError(field, `must be the name of a network device, of 1 to 15 bytes, got ${JSON.stringify(name)}`)
}
