import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** By their length one would not think how long these take. */
const long =
  /\/(?:security\/(?:attacks|forged-records|tracing)|integration\/container\/odd-containers|arm64\/runtime)\./

/** Begins with the files that take longest, so that none is left over when all others have ended. */
export class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    const isLong = ({ moduleId }: TestSpecification): boolean => long.test(moduleId)
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))]
  }
}
