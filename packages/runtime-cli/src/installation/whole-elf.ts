import { decode, Struct } from '@crio-lxc/core/abi/bytes'
import { read } from '@crio-lxc/core/sys/fd'
import { fstat } from '@crio-lxc/core/sys/files'

const HEADER_BYTES = 64

/** Whether a 64-bit ELF file has its end: elf(5); the table of sections is what linkers put last. */
export function isWholeElf(fd: number): boolean {
  const head = new Struct(HEADER_BYTES)
  if (read(fd, head, 0) < HEADER_BYTES || !decode(head).startsWith('\x7fELF')) return false
  const end = head.u64(40) + BigInt(head.u16(58) * head.u16(60))
  return end <= BigInt(fstat(fd).size)
}
