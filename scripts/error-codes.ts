/** Writes docs/errors.md from the table of codes: `npm run docs`. A unit test fails when the file is not what would be written. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type ErrorKind, errorKinds, phrase } from '../packages/core/src/errors/codes.ts'

const path = join(import.meta.dirname, '../docs/errors.md')

/** The whole document. */
export function errorCodes(): string {
  const rows = Object.entries<ErrorKind>(errorKinds).map(
    ([code, { meaning, advice }]) => `| \`${code}\` | ${meaning} | ${advice} |`,
  )
  return `# Errors

A verb that fails writes one sentence to stderr: what was attempted, on which path or field, why it failed, what to do. Its exit code is 1,
of \`exec\` 255. In the logs that are JSON (\`--log-format json\`, \`--log-file\`) the line has the kind of the failure as \`errorCode\`. One without
a code begins with "internal error", and is a fault of the program.

From \`packages/core/src/errors/codes.ts\`; written by \`npm run docs\`, do not edit.

| code | what it means | what to do |
| --- | --- | --- |
${rows.join('\n')}

What could not be undone follows the sentence as "left behind: ...", and is in the logs line by line.

## Sentences that callers look for

They stay as they are:

${Object.values(phrase)
  .map((text) => `- ${text}`)
  .join('\n')}
`
}

if (process.argv[1] === import.meta.filename) writeFileSync(path, errorCodes())
