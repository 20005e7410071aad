const months = 'January February March April May June July August September October November December'.split(' ')
const days = 'Sunday Monday Tuesday Wednesday Thursday Friday Saturday'.split(' ')

/** Longest first, as Go's time.nextStdChunk decides. */
const tokens =
  /January|Jan|Monday|Mon|MST|2006|Z07:00:00|Z07:00|Z0700|Z07|-07:00:00|-07:00|-0700|-07|002|01|02|03|04|05|06|15|PM|pm|[.,]0+(?!\d)|[.,]9+(?!\d)|_2006|_2|1|2|3|4|5/g

/** `time` in UTC by one of Go's layouts (package time), e.g. `20060102150405.000`. JavaScript knows milliseconds. */
export function formatGoTime(time: Date, layout: string): string {
  return layout.replace(tokens, (token) => part(time, token))
}

function part(time: Date, token: string): string {
  const hour12 = time.getUTCHours() % 12 || 12
  const plain: Readonly<Record<string, string | number>> = {
    January: months[time.getUTCMonth()] ?? '',
    Jan: months[time.getUTCMonth()]?.slice(0, 3) ?? '',
    Monday: days[time.getUTCDay()] ?? '',
    Mon: days[time.getUTCDay()]?.slice(0, 3) ?? '',
    MST: 'UTC',
    '2006': String(time.getUTCFullYear()).padStart(4, '0'),
    _2006: `_${String(time.getUTCFullYear()).padStart(4, '0')}`,
    '06': two(time.getUTCFullYear() % 100),
    '01': two(time.getUTCMonth() + 1),
    '1': time.getUTCMonth() + 1,
    '002': String(dayOfYear(time)).padStart(3, '0'),
    '02': two(time.getUTCDate()),
    _2: String(time.getUTCDate()).padStart(2),
    '2': time.getUTCDate(),
    '15': two(time.getUTCHours()),
    '03': two(hour12),
    '3': hour12,
    '04': two(time.getUTCMinutes()),
    '4': time.getUTCMinutes(),
    '05': two(time.getUTCSeconds()),
    '5': time.getUTCSeconds(),
    PM: time.getUTCHours() < 12 ? 'AM' : 'PM',
    pm: time.getUTCHours() < 12 ? 'am' : 'pm',
  }
  const known = plain[token]
  if (known !== undefined) return String(known)
  if (token.startsWith('Z')) return 'Z'
  if (token.startsWith('-')) return token.replace('-', '+').replaceAll('7', '0')
  return fraction(time, token)
}

/** `.000` keeps trailing zeros, `.999` drops them. */
function fraction(time: Date, token: string): string {
  const digits = String(time.getUTCMilliseconds())
    .padStart(3, '0')
    .padEnd(9, '0')
    .slice(0, token.length - 1)
  if (token[1] === '0') return `${token[0]}${digits}`
  const short = digits.replace(/0+$/, '')
  return short === '' ? '' : `${token[0]}${short}`
}

function dayOfYear(time: Date): number {
  return Math.floor((time.getTime() - Date.UTC(time.getUTCFullYear(), 0, 1)) / 86_400_000) + 1
}

function two(value: number): string {
  return String(value).padStart(2, '0')
}
