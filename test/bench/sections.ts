/** The sections of docs/performance.md, each measured by one run. */
import { copyBundle, podmanProfile } from './bench-bundle.ts'
import { measureBudget, type SpecBudget, traceCreates } from './measure-budget.ts'
import { makeLimitedBundle, measureLimits } from './measure-limits.ts'
import { weigh } from './measure-memory.ts'
import { atOnce, measureScale, type Scale } from './measure-scale.ts'
import { measureCycle } from './measured-runtime.ts'
import { formatCycles, formatLimits, formatReport, measuredOn } from './report.ts'
import { formatBudget } from './report-budget.ts'
import { formatScale, scalePicture } from './report-scale.ts'
import { podBundle, podmanBundle, startSandbox } from './specs.ts'
import { budgetOf } from './trace-events.ts'
import { tracePicture } from './trace-picture.ts'
import { id, type Workbench } from './workbench.ts'

export interface Result {
  /** Markdown. */
  readonly text: string
  /** Pictures that the text or the page shows, by their paths below docs. */
  readonly pictures?: Readonly<Record<string, string>>
}

export const sections = {
  /** One container from create to delete, and what memory it takes. */
  async cycle(bench: Workbench): Promise<Result> {
    const cycles = await bench.inRounds((runtime) => measureCycle(runtime, id))
    const resident = bench.variant(bench.subject, '--monitor=resident')
    const memory = await weigh([...bench.runtimes, resident], id)
    return { text: formatReport({ ...(await bench.circumstances()), cycles, memory }) }
  },

  /** The same cycle with the seccomp profile that podman gives every container. */
  async seccomp(bench: Workbench): Promise<Result> {
    const bundle = copyBundle(bench.bundle, 'seccomp', ({ linux }) =>
      Object.assign(linux, { seccomp: podmanProfile() }),
    )
    const cycles = await bench.inRounds((runtime) => measureCycle({ ...runtime, bundle }, id))
    return { text: formatCycles({ ...(await bench.circumstances()), cycles }) }
  },

  /** create and update with and without linux.resources; with --systemd in scopes that systemd makes. */
  async limits(bench: Workbench): Promise<Result> {
    const limited = makeLimitedBundle(bench.bundle)
    const times = await bench.inRounds((runtime) => measureLimits(runtime, limited, id))
    return { text: formatLimits(await bench.circumstances(), times) }
  },
  /** A thousand containers, fifty at once. */
  async scale(bench: Workbench): Promise<Result> {
    const scales = new Map<string, Scale>()
    for (const runtime of bench.runtimes) {
      const lanes = Array.from({ length: atOnce }, () => ({ ...runtime, timer: bench.callerFor(runtime) }))
      scales.set(runtime.name, await measureScale(lanes, bench.containers, () => bench.goOn()))
    }
    const text = formatScale(await bench.circumstances(), scales)
    return { text, pictures: { 'pictures/scale.svg': scalePicture(scales) } }
  },
  /** create by phases, for three specs. */
  async budget(bench: Workbench): Promise<Result> {
    const sandbox = await startSandbox()
    try {
      const bundles = {
        'runc spec': bench.bundle,
        podman: podmanBundle(bench.bundle),
        'a pod of CRI-O': podBundle(bench.bundle, sandbox.pid),
      }
      const specs = new Map<string, SpecBudget>()
      for (const [name, bundle] of Object.entries(bundles)) specs.set(name, await measureBudget(bench, bundle))
      return { text: formatBudget(await bench.circumstances(), specs) }
    } finally {
      sandbox.kill('SIGKILL')
    }
  },

  /** One create as a picture: of all that were traced the one that took the middle time. */
  async trace(bench: Workbench): Promise<Result> {
    const traces = (await traceCreates(bench)).toSorted((a, b) => budgetOf(a).whole - budgetOf(b).whole)
    const middle = traces[Math.floor(traces.length / 2)]
    if (middle === undefined) throw new Error('nothing was traced')
    const where = `${measuredOn(await bench.circumstances())} The create of ${traces.length} that took the middle time.`
    const path = 'pictures/create-trace.svg'
    return { text: `${where}\n\n![Spans of a create](${path})`, pictures: { [path]: tracePicture(middle) } }
  },
} as const satisfies Record<string, (bench: Workbench) => Promise<Result>>
