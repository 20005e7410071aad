/** `npm run compile [-- OUTPUT [OPTION...]]`: builds crio-lxc-start against the system's liblxc. */
import { compileC } from '../../scripts/compile-c.ts'

compileC('crio-lxc-start.c', process.argv[2] ?? 'dist/crio-lxc-start', [
  '-O2',
  '-fPIE',
  '-pie',
  '-D_FORTIFY_SOURCE=2',
  '-fstack-protector-strong',
  '-Wl,-z,relro,-z,now,-z,noexecstack',
  '-s',
  '-llxc',
  ...process.argv.slice(3),
])
