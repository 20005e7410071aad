import { writeSync } from 'node:fs'

writeSync(2, 'crio-lxc-hook: not supported yet\n')
process.exitCode = 1
