/** A seccomp filter in words, for `debug plan`: the classic BPF of linux/filter.h over struct seccomp_data. PURE. */

const INSTRUCTION_BYTES = 8
const ARGUMENTS_OFFSET = 16
const ARGUMENTS_END = 64

/** What SECCOMP_RET_* says in its upper half; seccomp(2). */
const actions: Readonly<Record<number, string>> = {
  32768: 'kill the process',
  0: 'kill the thread',
  3: 'trap',
  5: 'errno',
  32704: 'notify',
  32752: 'trace',
  32764: 'log',
  32767: 'allow',
}

/** linux/bpf_common.h: jumps on a comparison of what was loaded with a constant. */
const comparisons: Readonly<Record<number, string>> = { 21: '==', 37: '>', 53: '>=', 69: '&' }

/** A line for each struct sock_filter of `program`; jumps say the number of the line they go to. */
export function printSeccompProgram(program: Uint8Array): string[] {
  const view = new DataView(program.buffer, program.byteOffset, program.byteLength)
  return Array.from({ length: program.length / INSTRUCTION_BYTES }, (_, index) => {
    const at = INSTRUCTION_BYTES * index
    const [code, onTrue, onFalse] = [view.getUint16(at, true), view.getUint8(at + 2), view.getUint8(at + 3)] as const
    const k = view.getUint32(at + 4, true)
    const line = (jump: number): number => index + 1 + jump
    const comparison = comparisons[code]
    if (comparison !== undefined) return `if a ${comparison} ${hex(k)} goto ${line(onTrue)} else goto ${line(onFalse)}`
    if (code === 0x20) return `a = ${dataAt(k)}`
    if (code === 0x54) return `a &= ${hex(k)}`
    if (code === 0x05) return `goto ${line(k)}`
    if (code === 0x06) return `return ${actionText(k)}`
    return `code ${hex(code)}, jt ${onTrue}, jf ${onFalse}, k ${hex(k)}`
  })
}

/** A member of struct seccomp_data, on a little-endian machine. */
function dataAt(offset: number): string {
  if (offset === 0) return 'nr'
  if (offset === 4) return 'arch'
  if (offset < ARGUMENTS_OFFSET || offset >= ARGUMENTS_END) return `data[${offset}]`
  const from = offset - ARGUMENTS_OFFSET
  return `args[${Math.floor(from / 8)}] ${from % 8 === 0 ? 'low' : 'high'}`
}

function actionText(value: number): string {
  const data = value & 0xffff
  const action = actions[value >>> 16] ?? hex(value)
  return action === 'errno' || action === 'trace' ? `${action} ${data}` : action
}

function hex(value: number): string {
  return `0x${value.toString(16)}`
}
