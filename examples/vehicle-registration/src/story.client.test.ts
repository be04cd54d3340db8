/** The story with the unmodified driver and SDK against a server of its own: over https, over http, twice in a row. */
import { expect, it } from 'vitest'
import { exampleServer } from './example-server.ts'
import { playExample } from './play.ts'
import { type Outcome, tellStory } from './story.ts'

const server = exampleServer()
const example = { name: 'vehicle-registration', tellStory }

const expected: Outcome = {
  vehicleCountOfSeller: 1,
  revisionCount: 3,
  isRevisionAccepted: true,
  isTamperedCopyAccepted: false,
}

it('ends well over https, with the authority from the ready file', async () => {
  const lines: string[] = []
  expect(await playExample(example, server.https, (line) => lines.push(line))).toEqual(expected)
  expect(lines.join('\n')).toMatch(/ACCEPTED, qldb-strict.*REFUSED, REVISION_HASH_MISMATCH/s)
})

it('ends well a second time, over http', async () => {
  expect(await playExample(example, server.http, () => undefined)).toEqual(expected)
})
