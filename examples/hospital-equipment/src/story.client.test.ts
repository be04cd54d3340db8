/** The story with the unmodified driver and SDK against a server of its own, twice in a row. */
import { exampleServer } from '@cairn/example-vehicle-registration/example-server'
import { playExample } from '@cairn/example-vehicle-registration/play'
import { expect, it } from 'vitest'
import { generateDevices, generateInspections } from './devices.ts'
import { tellStory } from './story.ts'

const server = exampleServer()
const example = { name: 'hospital-equipment', tellStory }

it('proves the whole inspection book, the redacted version included, over https and http', async () => {
  for (const endpoint of [server.https, server.http]) {
    const { deviceCount, versionCount, kinds } = await playExample(
      example,
      endpoint,
      () => undefined,
    )
    expect(deviceCount).toBe(12)
    // The delivery, four inspections, the note and its correction.
    expect(versionCount).toBe(7)
    expect(kinds).toEqual(['data', 'data', 'data', 'data', 'data', 'redacted', 'data'])
  }
})

it('makes the same year from the same seed', () => {
  expect(generateDevices(1)).toEqual(generateDevices(1))
  const devices = generateDevices(1)
  expect(generateInspections(1, devices)).not.toEqual(generateInspections(2, devices))
})
