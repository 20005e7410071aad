import { readText } from '../../sys/files.ts'

/** The name that the kernel has for a major, in proc_devices(5). */
export function deviceGroupName(type: 'b' | 'c', major: number): string | undefined {
  const [characters = '', blocks = ''] = readText('/proc/devices').split('Block devices:')
  return new RegExp(`^ *${major} (.+)$`, 'm').exec(type === 'c' ? characters : blocks)?.[1]
}
