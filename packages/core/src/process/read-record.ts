import { Struct } from '../abi/bytes.ts'
import { type PlanRecord, parseRecord, RECORD_BYTES, unknownRecord } from '../plan/record.ts'
import { read } from '../sys/fd.ts'

/** The next record of a pipe or fifo, undefined at its end. `what` is waited for, in the words of the error. */
export function readRecord(fd: number, what: string): PlanRecord | undefined {
  const record = new Struct(RECORD_BYTES)
  const length = read(fd, record)
  if (length === 0) return undefined
  // Writes of this size to a pipe are atomic (pipe(7)): a record comes whole, or it is none.
  if (length < RECORD_BYTES) throw unknownRecord(what)
  return parseRecord(record)
}
