/**
 * npm run bench -- [--limits [--systemd] | --seccomp | --scale | --budget | --trace] [--rounds N] [--containers N]
 *                  [--write]
 *
 * Times crio-lxc against runc and crun, whole processes in alternation, and weighs what they need; with an option, what
 * sections.ts says of it. --write puts the result into docs/performance.md and docs/pictures. It fails when a container
 * that was timed did not run. RUNTIME names another crio-lxc than dist/bin/crio-lxc, NEWER_CRUN a second crun.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { steps } from './measure-scale.ts'
import { type Result, sections } from './sections.ts'
import { replaceBetweenMarkers } from './tables.ts'
import { Workbench } from './workbench.ts'

const repository = join(import.meta.dirname, '../..')
const docs = join(repository, 'docs')

const flag = { type: 'boolean', default: false } as const
const { values: options } = parseArgs({
  options: {
    ...{ limits: flag, seccomp: flag, scale: flag, budget: flag, trace: flag },
    systemd: flag,
    rounds: { type: 'string', default: '40' },
    containers: { type: 'string', default: '1000' },
    write: flag,
  },
})

let interrupted = false
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.on(signal, () => {
    interrupted = true
  })

const rounds = Number(options.rounds)
if (!Number.isInteger(rounds) || rounds < 1) fail(`--rounds ${options.rounds}: not a positive whole number`)
const containers = Number(options.containers)
if (!(containers > 0) || containers % (2 * steps) !== 0)
  fail(`--containers ${options.containers}: not a multiple of ${2 * steps}`)
const [chosen, ...more] = (['limits', 'seccomp', 'scale', 'budget', 'trace'] as const).filter((name) => options[name])
if (chosen && more.length > 0) fail(`--${chosen} and --${more[0]}: one of them at a time`)
if (options.systemd && !options.limits) fail('--systemd: give --limits as well')
if (process.getuid?.() !== 0) fail('the benchmark makes containers: run it as root')
const subject = process.env['RUNTIME'] ?? join(repository, 'dist/bin/crio-lxc')
if (spawnSync(subject, ['--version']).status !== 0) fail(`${subject} does not run: run npm run build first`)

const result = await bench().catch((error: Error) => fail(error.message))
console.log(result.text)
if (options.write) write(result)

async function bench(): Promise<Result> {
  const workbench = new Workbench({
    subject,
    rounds,
    containers,
    systemd: options.systemd,
    interrupted: () => interrupted,
  })
  try {
    return await sections[chosen ?? 'cycle'](workbench)
  } finally {
    await workbench.close()
  }
}

function write({ text, pictures = {} }: Result): void {
  const page = join(docs, 'performance.md')
  const marker = ['bench', chosen, options.systemd && 'systemd'].filter(Boolean).join('-')
  writeFileSync(page, replaceBetweenMarkers(readFileSync(page, 'utf8'), marker, text))
  for (const [name, svg] of Object.entries(pictures)) {
    mkdirSync(dirname(join(docs, name)), { recursive: true })
    writeFileSync(join(docs, name), svg)
  }
  console.error(`written to ${[page, ...Object.keys(pictures)].join(', ')}`)
}

function fail(message: string): never {
  console.error(`bench: ${message}`)
  process.exit(1)
}
