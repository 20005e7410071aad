import { Struct } from '../../abi/bytes.ts'
import { type PlanRecord, parseRecord, RECORD_BYTES } from '../../plan/record.ts'
import { read } from '../../sys/fd.ts'

/** The next record of the report behind `fd`, a pipe or a fifo; undefined at the end of the file. Throws as parseRecord does. */
export function readRecord(fd: number, what: string): PlanRecord | undefined {
  const bytes = new Struct(RECORD_BYTES)
  return parseRecord(bytes, read(fd, bytes), what)
}
