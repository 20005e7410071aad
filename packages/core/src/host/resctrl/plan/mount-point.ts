/** Where resctrl is mounted, by the text of /proc/self/mountinfo; undefined when it is not. PURE. */
export function resctrlMountPoint(mountinfo: string): string | undefined {
  const line = mountinfo.split('\n').find((line) => / - resctrl /.test(line))
  return line
    ?.split(' ')[4]
    ?.replace(/\\([0-7]{3})/g, (_match, octal) => String.fromCharCode(Number.parseInt(octal, 8)))
}
