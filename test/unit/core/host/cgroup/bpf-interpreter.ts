/** An interpreter of the few eBPF instructions that a device program is made of (kernel: Documentation/bpf/instruction-set.rst). */

/** struct bpf_cgroup_dev_ctx before its packing. */
export interface DeviceAccess {
  readonly type: 'b' | 'c'
  /** Some of r, w and m. */
  readonly access: string
  readonly major: number
  readonly minor: number
}

/** What the program returns for an access; throws for anything the kernel's verifier would refuse. */
export function runDeviceProgram(program: Uint8Array, { type, access, major, minor }: DeviceAccess): number {
  const view = new DataView(program.buffer, program.byteOffset, program.length)
  const bits = [...access].reduce((sum, letter) => sum | { m: 1, r: 2, w: 4 }[letter as 'm' | 'r' | 'w'], 0)
  const context = [((bits << 16) | { b: 1, c: 2 }[type]) >>> 0, major, minor]
  /** r1 is the address of the context, the others are undefined until written. */
  const registers: (number | undefined)[] = []
  const value = (register: number): number => {
    const number = registers[register]
    if (number === undefined) throw new Error(`r${register} !read_ok`)
    return number
  }
  for (let pc = 0; ; pc++) {
    if (pc < 0 || 8 * pc >= program.length) throw new Error(`jump out of range to ${pc}`)
    const dst = view.getUint8(8 * pc + 1) & 15
    const src = view.getUint8(8 * pc + 1) >> 4
    const off = view.getInt16(8 * pc + 2, true)
    const imm = view.getUint32(8 * pc + 4, true)
    const code = view.getUint8(8 * pc)
    if (code === 0x61 && src === 1 && off % 4 === 0) registers[dst] = context[off / 4]
    else if (code === 0xbc) registers[dst] = value(src)
    else if (code === 0xb4) registers[dst] = imm
    else if (code === 0x54) registers[dst] = (value(dst) & imm) >>> 0
    else if (code === 0x74) registers[dst] = value(dst) >>> imm
    else if (code === 0x05) pc += off
    else if (code === 0x56) pc += value(dst) === imm ? 0 : off
    else if (code === 0x46) pc += value(dst) & imm ? off : 0
    else if (code === 0x95) return value(0)
    else throw new Error(`unknown opcode 0x${code.toString(16)} at ${pc}`)
  }
}
