import { describe, expect, it } from 'vitest'
import { useContainers } from '../../support/containers.ts'
import { requires } from '../../support/requires.ts'

requires('root')
const t = useContainers()

const infinity = '18446744073709551615'

describe('process.rlimits', () => {
  it('may allow fewer files than the runtime has open meanwhile', async () => {
    const limit = { type: 'RLIMIT_NOFILE', soft: 16, hard: 20 }
    const source = t.hostDirectory()
    const bundle = await t.bundle({
      args: ['sh', '-c', 'ulimit -Sn; ulimit -Hn'],
      process: { rlimits: [limit] },
      spec: ({ mounts }) => {
        for (let index = 0; index < 900; index++)
          mounts.push({ destination: `/tmp/${index}`, type: 'bind', source, options: ['bind'] })
      },
    })
    expect((await t.run(bundle)).stdout).toBe('16\n20\n')
  })

  it('sets soft and hard', async () => {
    const { rlimits } = await t.probe({
      process: {
        rlimits: [
          { type: 'RLIMIT_NOFILE', soft: 300, hard: 400 },
          { type: 'RLIMIT_CORE', soft: 0, hard: 1_000_000 },
          { type: 'RLIMIT_NPROC', soft: 1000, hard: 2000 },
          { type: 'RLIMIT_FSIZE', soft: 5_000_000_000, hard: 6_000_000_000 },
          { type: 'RLIMIT_STACK', soft: 8_388_608, hard: 16_777_216 },
        ],
      },
    })
    expect(rlimits).toMatchObject({
      RLIMIT_NOFILE: ['300', '400'],
      RLIMIT_CORE: ['0', '1000000'],
      RLIMIT_NPROC: ['1000', '2000'],
      RLIMIT_FSIZE: ['5000000000', '6000000000'],
      RLIMIT_STACK: ['8388608', '16777216'],
    })
  })

  it.each([
    ['RLIMIT_AS', 5_000_000_000, 6_000_000_000],
    ['RLIMIT_CORE', 1, 2],
    ['RLIMIT_CPU', 1000, 2000],
    ['RLIMIT_DATA', 500_000_000, 600_000_000],
    ['RLIMIT_FSIZE', 50_000_000, 60_000_000],
    ['RLIMIT_LOCKS', 10, 20],
    ['RLIMIT_MEMLOCK', 4096, 8192],
    ['RLIMIT_MSGQUEUE', 4096, 8192],
    ['RLIMIT_NICE', 0, 0],
    ['RLIMIT_NOFILE', 100, 200],
    ['RLIMIT_NPROC', 500, 600],
    ['RLIMIT_RSS', 1000, 2000],
    ['RLIMIT_RTPRIO', 0, 0],
    ['RLIMIT_RTTIME', 10_000_000, 20_000_000],
    ['RLIMIT_SIGPENDING', 30, 40],
    ['RLIMIT_STACK', 4_194_304, 8_388_608],
  ])('%s', async (type, soft, hard) => {
    const { rlimits } = await t.probe({ process: { rlimits: [{ type, soft, hard }] } })
    expect(rlimits[type]).toEqual([String(soft), String(hard)])
  })

  it('takes infinity, which is no exact number of JavaScript', async () => {
    const bundle = await t.bundle({
      args: ['/probe'],
      process: { rlimits: [{ type: 'RLIMIT_CPU', soft: 1, hard: 2 }] },
    })
    bundle.writeConfig(JSON.stringify(bundle.spec).replace('"soft":1,"hard":2', `"soft":100000,"hard":${infinity}`))
    expect((await t.probe(bundle)).rlimits.RLIMIT_CPU).toEqual(['100000', infinity])
  })

  it('keeps a value above 2^53 exactly', async () => {
    const bundle = await t.bundle({ args: ['/probe'], process: { rlimits: [{ type: 'RLIMIT_AS', soft: 1, hard: 2 }] } })
    const value = '9007199254740993'
    bundle.writeConfig(JSON.stringify(bundle.spec).replace('"soft":1,"hard":2', `"soft":${value},"hard":${value}`))
    expect((await t.probe(bundle)).rlimits.RLIMIT_AS).toEqual([value, value])
  })

  it('leaves the others as the caller has them', async () => {
    const through = ['/bin/sh', '-c', 'ulimit -c 12; exec "$@"', 'sh']
    const { rlimits } = await t.probe({ process: { rlimits: [] } }, { through })
    expect(rlimits.RLIMIT_CORE).toEqual(['6144', '6144'])
  })
})
