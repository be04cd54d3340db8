/** The story with the unmodified driver and SDK against a server of its own, twice in a row. */
import { exampleServer } from '@cairn/example-vehicle-registration/example-server'
import { playExample } from '@cairn/example-vehicle-registration/play'
import { expect, it } from 'vitest'
import { generateSeason } from './chain.ts'
import { tellStory } from './story.ts'

const server = exampleServer()
const example = { name: 'food-recall', tellStory }

it('recalls what was made of the lot and nothing else, and proves who held it, over https and http', async () => {
  for (const endpoint of [server.https, server.http]) {
    const outcome = await playExample(example, endpoint, () => undefined)
    // The harvest, the blend that it went into, and that blend's four packs of twelve.
    expect(outcome).toMatchObject({ recalledCount: 6, packCount: 4 })
    // Mill, carrier, store, and the store again when the status changed.
    expect(outcome.holders).toHaveLength(4)
    expect(outcome.holders[0]).toBe('Weir Mill')
    expect(outcome).toMatchObject({ isCustodyAccepted: true, isForgeryAccepted: false })
  }
})

it('makes the same season from the same seed', () => {
  expect(generateSeason(1)).toEqual(generateSeason(1))
  expect(generateSeason(1)).not.toEqual(generateSeason(2))
})
