/**
 * `npm run example:vehicle-registration`: a motor registry's working day, played with the unmodified QLDB driver and
 * AWS SDK against a running Cairn (`npm start` in another terminal).
 */
import { playFromCommandLine } from './play.ts'
import { tellStory } from './story.ts'

await playFromCommandLine({
  name: 'vehicle-registration',
  title: 'The motor registry of North Vale',
  tellStory,
  isGood: (outcome) => outcome.isRevisionAccepted && !outcome.isTamperedCopyAccepted,
})
