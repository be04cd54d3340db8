/** Target `puppeth`: answers to its questions, through a pipe. What it writes is a genesis file. */
import { Readable, Writable } from 'node:stream'
import { createSystemClock, fromUtf8 } from '@cairn/core'
import { genesisHashOf } from '@cairn/eth-chain'
import { GenesisError, parseGenesis } from '@cairn/eth-codec'
import { createMemoryFileSystem, type SeededRandom } from '@cairn/testing'
import { runWizard } from '../../../apps/cli/src/puppeth/wizard.ts'
import { inputOfText, mustHold, type Target, textOfInput } from '../target.ts'

const address = '7df9a875a174b3bc565e6424a0050ebc1b2d1d82'
const configured = ['net', '2', '2', '5', address, '', address, '', 'yes', '4242']
const answers = [
  ...['', '1', '2', '3', '4', '0', '-1', '1e0', '0x1', '15', 'yes', 'no', 'y', 'net', 'Net', 'a/b'],
  ...[address, `0x${address}`, address.toUpperCase(), '0x', 'f'.repeat(40), '9'.repeat(30), ' 2 '],
  ...['.', '..', 'out', '\u0000', '\ud800', '__proto__', 'constructor', '2147483648', 'NaN'],
]

export const puppethTarget: Target = {
  name: 'puppeth',
  oracle: 'it ends with its input; every file it writes is a genesis with signers',
  sources: /\/apps\/cli\/src\/puppeth\//,
  batchCount: 128,
  open: () => ({
    seeds: [
      [...configured, '2', '2', 'out', '1', '2', '3', '3'],
      [...configured, '1', '2', '1', '3'],
      ['Net', 'net', '2', '1', '2', '', '', address, '', '', '', '', '', '3'],
    ].map((lines) => inputOfText(lines.join('\n'))),
    dictionary: [...answers, '\n', '\r\n', '\n\n'].map(inputOfText),
    generate,
    run: (input) => check(textOfInput(input)),
  }),
}

function generate(random: SeededRandom): Uint8Array {
  const start = random.chance(0.5) ? configured.slice(0, random.below(configured.length + 1)) : []
  const more = Array.from({ length: random.below(20) }, () => {
    return answers[random.below(answers.length)] ?? ''
  })
  return inputOfText([...start, ...more].join(random.chance(0.9) ? '\n' : '\r\n'))
}

async function check(text: string): Promise<void> {
  // Ctrl-C ends the program, and this is it.
  const input = Readable.from([text.replaceAll('\u0003', '')])
  input.setEncoding?.('utf8')
  const said: string[] = []
  const output = new Writable({
    write(chunk, _encoding, done) {
      said.push(String(chunk))
      done()
    },
  })
  const fileSystem = createMemoryFileSystem()
  const written: Uint8Array[] = []
  const recording = {
    ...fileSystem,
    makeDirectory: async () => undefined,
    writeFileAtomic: async (path: string, bytes: Uint8Array) => {
      mustHold(path.endsWith('.json'), `a file of the name ${path}`)
      written.push(bytes)
    },
  }
  await runWizard(
    {
      ...{ input, output, errorOutput: output, isInteractive: false, isErrorOutputWatched: false },
      env: {},
      clock: createSystemClock(),
      stopSignal: () => new Promise(() => undefined),
    },
    recording,
  )
  for (const bytes of written) {
    try {
      const { genesis } = parseGenesis(JSON.parse(fromUtf8(bytes)))
      mustHold(genesisHashOf(genesis).length === 66, 'a genesis without a hash')
    } catch (error) {
      mustHold(!(error instanceof GenesisError), `it wrote what is refused: ${error}`)
      throw error
    }
  }
  mustHold(!/undefined|\[object/.test(said.join('')), 'it speaks of its insides')
}
