/** linux.resources.blockIO as writes; blkio-controller.rst, bfq-iosched.rst, cgroup-v2.rst "IO Interface Files". PURE. */
import { SpecError } from '../../../errors/runtime-error.ts'
import { itemOf } from '../../../oci/field-path.ts'
import type { BlockIoResources, ThrottleDevice } from '../../../oci/resources.ts'
import type { CgroupWrite } from './cgroup-write.ts'
import { type Controller, findController, hasController, notInVersion, type PresentCgroup } from './controller.ts'

const POINTER = 'linux.resources.blockIO'

/** Field to its file of v1, and its key in v2's io.max. */
const throttles = {
  throttleReadBpsDevice: ['blkio.throttle.read_bps_device', 'rbps'],
  throttleWriteBpsDevice: ['blkio.throttle.write_bps_device', 'wbps'],
  throttleReadIOPSDevice: ['blkio.throttle.read_iops_device', 'riops'],
  throttleWriteIOPSDevice: ['blkio.throttle.write_iops_device', 'wiops'],
} as const

/** Throws RuntimeError `cgroup`, or SpecError for a weight that cannot be. */
export function planBlockIo(blockIO: BlockIoResources, cgroup: PresentCgroup): CgroupWrite[] {
  const [first] = Object.entries(blockIO).find(([, value]) => (Array.isArray(value) ? value.length > 0 : value)) ?? []
  if (first === undefined) return []
  const name = hasController(cgroup, 'blkio') ? 'blkio' : 'io'
  const controller = findController(cgroup, name, `${POINTER}.${first}`)
  return [...planWeights(blockIO, controller), ...planThrottles(blockIO, controller)]
}

/** Which file there is depends on the scheduler: bfq's, or that of CFQ on v1 and of io.cost on v2. */
function planWeights(blockIO: BlockIoResources, controller: Controller): CgroupWrite[] {
  const { weight, leafWeight, weightDevice = [] } = blockIO
  const { version } = controller
  const writes: CgroupWrite[] = []
  if (weight) {
    const field = `${POINTER}.weight`
    writes.push(
      version === 1
        ? either(controller, field, ['blkio.bfq.weight', checked(weight, field)], ['blkio.weight', weight])
        : either(controller, field, ['io.bfq.weight', checked(weight, field)], ['io.weight', ioWeight(weight)]),
    )
  }
  if (leafWeight) writes.push(leaf(controller, `${POINTER}.leafWeight`, 'blkio.leaf_weight', `${leafWeight}`))
  weightDevice.forEach((device, index) => {
    const number = `${device.major}:${device.minor}`
    const field = `${itemOf(`${POINTER}.weightDevice`, index)}`
    if (device.weight) {
      const [own, bfq] = [`${field}.weight`, `${number} ${checked(device.weight, `${field}.weight`)}`]
      writes.push(
        version === 1
          ? either(controller, own, ['blkio.bfq.weight_device', bfq], ['blkio.weight_device', bfq])
          : either(controller, own, ['io.bfq.weight', bfq], ['io.weight', `${number} ${ioWeight(device.weight)}`]),
      )
    }
    if (device.leafWeight)
      writes.push(leaf(controller, `${field}.leafWeight`, 'blkio.leaf_weight_device', `${number} ${device.leafWeight}`))
  })
  return writes
}

type FileAndValue = readonly [file: string, value: string | number]

function either({ write }: Controller, field: string, first: FileAndValue, second: FileAndValue): CgroupWrite {
  return { ...write(field, ...first), ifMissing: write(field, ...second) }
}

function leaf(controller: Controller, field: string, file: string, value: string): CgroupWrite {
  if (controller.version === 2) throw notInVersion(field, controller, 'io')
  return controller.write(field, file, value)
}

/** [Block IO]: 10 to 1000. */
function checked(weight: number, field: string): number {
  if (weight >= 10 && weight <= 1000) return weight
  throw new SpecError(field, `must be from 10 to 1000, got ${weight}`)
}

/** 10 to 1000 onto 1 to 10000, on a line as runc does it. */
export function ioWeight(weight: number): number {
  return 1 + Math.floor(((weight - 10) * 9999) / 990)
}

function planThrottles(blockIO: BlockIoResources, { version, write }: Controller): CgroupWrite[] {
  return Object.entries(throttles).flatMap(([name, [file, key]]) => {
    const devices: readonly ThrottleDevice[] = blockIO[name as keyof typeof throttles] ?? []
    return devices.map(({ major, minor, rate }, index) => {
      const field = itemOf(`${POINTER}.${name}`, index)
      // A rate of 0 takes the limit away: so v1 reads it, and v2 has a word for it.
      return version === 1
        ? write(field, file, `${major}:${minor} ${rate}`)
        : write(field, 'io.max', `${major}:${minor} ${key}=${rate || 'max'}`)
    })
  })
}
