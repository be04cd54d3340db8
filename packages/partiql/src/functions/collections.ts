/** SIZE, ROW and the aggregates over a collection as a value: COLL_SUM and its kin, as the PartiQL suite has them. */
import { ionInt } from '@cairn/ion'
import { elementsOf, list, missing, type Value } from '../values/value.ts'
import { accumulatorFactory, aggregateValues } from './aggregates.ts'
import { type FunctionDefinition, strict } from './definition.ts'

const aggregateNames = ['COUNT', 'SUM', 'AVG', 'MIN', 'MAX', 'EVERY', 'ANY', 'SOME'] as const

export const collectionFunctions: readonly FunctionDefinition[] = [
  strict('SIZE', ['collection'], size),
  strict('CARDINALITY', ['collection'], size),
  {
    name: 'ROW',
    argumentCountMin: 1,
    argumentCountMax: Number.POSITIVE_INFINITY,
    kinds: ['any'],
    isStrict: false,
    isVolatile: false,
    evaluate: (args) => list(args),
  },
  ...aggregateNames.map((name) =>
    strict(`COLL_${name}`, ['any'], (value = missing) => aggregateElements(name, value)),
  ),
]

function size(value: Value = missing): Value {
  if (value.type === 'struct') return ionInt(value.fields.length)
  const elements = elementsOf(value)
  return elements === undefined ? missing : ionInt(elements.length)
}

function aggregateElements(name: string, value: Value): Value {
  const elements = elementsOf(value)
  const create = accumulatorFactory(name)
  return elements === undefined || create === undefined
    ? missing
    : aggregateValues(create(), elements)
}
