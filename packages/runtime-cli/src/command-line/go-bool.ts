import { RuntimeError } from '@crio-lxc/core/errors/runtime-error'

/** strconv.ParseBool, which is what runc's callers and the seed's variables are spelled for. */
export function parseGoBool(text: string, where: string): boolean {
  if (/^(1|t|T|TRUE|true|True)$/.test(text)) return true
  if (/^(0|f|F|FALSE|false|False)$/.test(text)) return false
  throw new RuntimeError('usage', `invalid boolean value ${JSON.stringify(text)} for ${where}: want true or false`)
}
