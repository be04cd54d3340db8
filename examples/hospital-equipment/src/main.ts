/**
 * `npm run example:hospital-equipment`: devices and their inspections, played with the unmodified QLDB driver and
 * AWS SDK against a running Cairn (`npm start` in another terminal).
 */
import { playFromCommandLine } from '@cairn/example-vehicle-registration/play'
import { tellStory } from './story.ts'

await playFromCommandLine({
  name: 'hospital-equipment',
  title: 'North Vale Hospital',
  tellStory,
  isGood: (outcome) => outcome.kinds.includes('redacted'),
})
