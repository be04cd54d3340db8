/**
 * `npm run example:food-recall`: a recall traced through a supply chain, played with the unmodified QLDB driver and
 * AWS SDK against a running Cairn (`npm start` in another terminal).
 */
import { playFromCommandLine } from '@cairn/example-vehicle-registration/play'
import { tellStory } from './story.ts'

await playFromCommandLine({
  name: 'food-recall',
  title: 'Porridge from North Vale',
  tellStory,
  isGood: (outcome) => outcome.isCustodyAccepted && !outcome.isForgeryAccepted,
})
