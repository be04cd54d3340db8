/** The whole story, step by step, and what came out of it. */
import type { Office } from '@cairn/example-vehicle-registration/office'
import { generateDevices, generateInspections } from './devices.ts'
import { inspectAll, openLedger, readBook, register } from './inspect.ts'
import { proveBook, redact, saveDigest, writeNoteWithName } from './prove.ts'

export interface Outcome {
  readonly deviceCount: number
  /** Versions of the device, its delivery and the two notes included. */
  readonly versionCount: number
  /** Of the versions in their order: `data`, or `redacted`. */
  readonly kinds: readonly string[]
}

const seed = 7
const serial = 'D-100'

export async function tellStory(office: Office): Promise<Outcome> {
  const devices = generateDevices(seed)
  await openLedger(office)
  await register(office, devices)
  await inspectAll(office, generateInspections(seed, devices))
  await writeNoteWithName(office, serial)
  const book = await readBook(office, serial)
  const saved = await saveDigest(office)
  const withName = book.find(({ note }) => note.includes('Mrs'))
  if (withName === undefined) throw new Error('The note is not in the history.')
  await redact(office, withName)
  const kinds = await proveBook(office, book, saved)
  return { deviceCount: devices.length, versionCount: book.length, kinds }
}
