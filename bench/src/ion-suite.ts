/** Our Ion codec and hash beside ion-js and ion-hash-js, and beside JSON, on one vehicle document. CPU time decides. */
import { equalBytes } from '@cairn/core'
import { decodeIon, encodeIon, hashIon, hashIonBytes } from '@cairn/ion'
import { cryptoHasherProvider, makeHashReader } from 'ion-hash-js'
import { type dom, dumpBinary, load, makeReader } from 'ion-js'
import { machineFacts } from './machine.ts'
import { figure, range, type SuiteResult, type Table } from './report.ts'
import { loop, type Measurement, runRounds } from './rounds.ts'
import type { SuiteContext } from './suite.ts'
import { vehicleIon, vehicleRecord } from './vehicle.ts'

/** More than one, so that nobody gains by remembering the last; a power of two, so that taking turns costs nothing. */
const documentCount = 64

export async function ionSuite(context: SuiteContext): Promise<SuiteResult> {
  const machine = machineFacts(context.directory)
  const numbers = Array.from({ length: documentCount }, (_, index) => 4711 + index)
  const values = numbers.map(vehicleIon)
  const streams = values.map((value) => encodeIon(value))
  const doms = streams.map((stream) => load(stream) as dom.Value)
  const records = numbers.map(vehicleRecord)
  const texts = records.map((record) => JSON.stringify(record))
  for (const stream of streams) {
    if (!equalBytes(hashIonBytes(stream), officialHash(stream))) throw new Error('Hashes differ.')
  }

  const contest = <T>(name: string, inputs: readonly T[], work: (input: T) => unknown) => {
    let turn = 0
    return loop(name, context.durationMs, () => work(inputs[turn++ % documentCount] as T))
  }
  const contestants = [
    contest('JSON.stringify', records, (record) => JSON.stringify(record)),
    contest('JSON.parse', texts, (text) => JSON.parse(text)),
    contest('encode: cairn', values, encodeIon),
    contest('encode: ion-js', doms, dumpBinary),
    contest('decode: cairn', streams, (stream) => decodeIon(stream)),
    contest('decode: ion-js', streams, (stream) => load(stream)),
    contest('hash of bytes: cairn', streams, hashIonBytes),
    contest('hash of value: cairn', values, hashIon),
    contest('hash of bytes: ion-hash-js', streams, officialHash),
  ]
  // Once without counting, so that all of them are compiled.
  context.progress('warming up')
  for (const contestant of contestants) await contestant.run()
  const measurements = await runRounds(contestants, context.roundCount, context.progress)

  const cpu = (name: string): number => cpuUs(measurements, name)
  return {
    name: 'ion',
    title: 'Ion binary: one vehicle document, CPU time per operation',
    machine,
    settings: {
      documents: documentCount,
      'fields each': Object.keys(vehicleRecord(1)).length,
      'bytes of Ion': streams[0]?.length ?? 0,
      'bytes of JSON': texts[0]?.length ?? 0,
      rounds: context.roundCount,
      'seconds per turn': context.durationMs / 1000,
    },
    tables: [ionTable(measurements)],
    bars: [
      {
        text: 'Ion hash of a document, in times of JSON.stringify',
        value: cpu('hash of bytes: cairn') / cpu('JSON.stringify'),
        bar: 12,
        stretch: 6,
        better: 'less',
        unit: 'x',
      },
    ],
    measurements,
  }
}

/** As amazon-qldb-driver-nodejs 3.1.0 hashes parameters: src/QldbHash.ts, toQldbHash. */
function officialHash(bytes: Uint8Array): Uint8Array {
  const reader = makeHashReader(makeReader(bytes), cryptoHasherProvider('sha256'))
  reader.next()
  reader.next()
  return reader.digest()
}

function ionTable(measurements: readonly Measurement[]): Table {
  const stringifyUs = cpuUs(measurements, 'JSON.stringify')
  return {
    columns: ['', 'CPU µs', 'min – max', 'x JSON.stringify', 'faster than official'],
    rows: measurements.map(({ name, cpuUsPerOperation: cpu }) => {
      if (cpu === undefined) throw new Error('no CPU time')
      const official = measurements.find(({ name: other }) => other === officialName(name))
      const ratio = official?.cpuUsPerOperation && official.cpuUsPerOperation.median / cpu.median
      return [
        name,
        figure(cpu.median),
        range(cpu),
        figure(cpu.median / stringifyUs),
        ratio === undefined ? '' : `${figure(ratio)} x`,
      ]
    }),
  }
}

/** `encode: cairn` is set against `encode: ion-js`, both hashes against that of ion-hash-js. */
function officialName(name: string): string | undefined {
  if (!name.endsWith(': cairn')) return undefined
  if (name.startsWith('hash')) return 'hash of bytes: ion-hash-js'
  return name.replace('cairn', 'ion-js')
}

function cpuUs(measurements: readonly Measurement[], name: string): number {
  const found = measurements.find((measurement) => measurement.name === name)
  if (found?.cpuUsPerOperation === undefined) throw new Error(`${name} was not measured`)
  return found.cpuUsPerOperation.median
}
