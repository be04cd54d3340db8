/**
 * A block of an export in JSON, its types given back. JSON has lost them: blobs and timestamps are strings, clobs and
 * symbols too. What a block is made of has known types. A document has not; it is tried with the types that its JSON
 * may stand for until its hash is the revision's, so that what is found is proven, and what is not found is refused.
 * Down-conversion: QLDB developer guide, "Journal export output"; Ion cookbook, "Down-converting to JSON".
 */
import { equalBytes, fromBase64 } from '@cairn/core'
import {
  fieldOf,
  formatIon,
  hashIon,
  IonError,
  type IonField,
  type IonStruct,
  type IonValue,
  ionBlob,
  ionFloat,
  ionList,
  ionStruct,
  parseIon,
} from '@cairn/ion'
import { dot } from '@cairn/merkle'

/** Texts of a document that look like times and are tried one by one, each as text and as time. */
const singlyTriedCountMax = 6
/** A date, or a time with its offset; year alone and month are written with a T. */
const timePattern =
  /^\d{4}(?:T|-\d\d(?:T|-\d\d(?:T(?:\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d))?)?))$/

/** @throws RangeError with a sentence, for what cannot be a block, or cannot be proven to be what was exported. */
export function blockFromJson(value: IonValue): IonStruct {
  return map(value, 'block', {
    blockTimestamp: timestamp,
    blockHash: blob,
    entriesHash: blob,
    previousBlockHash: blob,
    entriesHashList: (list) => each(list, 'entriesHashList', blob),
    transactionInfo: (info) =>
      map(info, 'transactionInfo', {
        statements: (list) =>
          each(list, 'statements', (statement) =>
            map(statement, 'statement', { startTime: timestamp, statementDigest: blob }),
          ),
      }),
    revisions: (list) => {
      let position = 0
      return each(list, 'revisions', (revision) => revisionFromJson(revision, position++))
    },
  })
}

type Conversions = Readonly<Record<string, (value: IonValue) => IonValue>>

function map(value: IonValue, what: string, conversions: Conversions): IonStruct {
  if (value.type !== 'struct') throw new RangeError(`its ${what} is no object`)
  const fields: IonField[] = []
  for (const field of value.fields) {
    // JSON writers may spell out what is not there.
    if (field.value.type === 'null') continue
    const convert = conversions[String(field.name)]
    fields.push(convert === undefined ? field : { name: field.name, value: convert(field.value) })
  }
  return ionStruct(fields)
}

function each(value: IonValue, what: string, convert: (value: IonValue) => IonValue): IonValue {
  if (value.type !== 'list') throw new RangeError(`its ${what} is no array`)
  return ionList(value.values.map(convert))
}

function text(value: IonValue): string {
  if (value.type === 'string') return value.value
  throw new RangeError('a text was expected in it')
}

function blob(value: IonValue): IonValue {
  try {
    return ionBlob(fromBase64(text(value)))
  } catch (cause) {
    throw new RangeError('a hash in it is no base64', { cause })
  }
}

function timestamp(value: IonValue): IonValue {
  const found = timeOf(text(value))
  if (found === undefined) throw new RangeError(`${text(value)} in it is no time`)
  return found
}

function timeOf(text: string): IonValue | undefined {
  if (!timePattern.test(text)) return undefined
  try {
    const value = parseIon(text)
    return value.type === 'timestamp' ? value : undefined
  } catch (error) {
    if (error instanceof IonError) return undefined
    throw error
  }
}

function revisionFromJson(value: IonValue, position: number): IonStruct {
  const revision = map(value, 'revision', {
    hash: blob,
    dataHash: blob,
    metadata: (metadata) => map(metadata, 'metadata', { txTime: timestamp }),
  })
  const data = fieldOf(revision, 'data')
  const metadata = fieldOf(revision, 'metadata')
  const hash = fieldOf(revision, 'hash')
  if (data === undefined || metadata === undefined || hash?.type !== 'blob') return revision
  const metadataHash = hashIon(metadata)
  for (const candidate of candidates(data)) {
    if (equalBytes(dot(metadataHash, hashIon(candidate)), hash.value)) {
      return ionStruct(
        revision.fields.map(({ name, value }) => ({
          name,
          value: name === 'data' ? candidate : value,
        })),
      )
    }
  }
  throw new RangeError(
    `the document of its revision ${position} cannot be proven: JSON has lost types of it that its ` +
      'hash depends on. Import an export in ION_TEXT or ION_BINARY',
  )
}

/** The types that a document may have had, the likely ones first. */
function* candidates(data: IonValue): Generator<IonValue> {
  let timeCount = 0
  const withTimes = convert(data, {
    isTime: () => {
      timeCount++
      return true
    },
    isFloat: false,
  })
  yield withTimes
  if (timeCount > 0) yield convert(data, { isTime: () => false, isFloat: false })
  yield convert(data, { isTime: () => true, isFloat: true })
  if (timeCount > 0) yield convert(data, { isTime: () => false, isFloat: true })
  if (timeCount > singlyTriedCountMax) return
  for (let chosen = 1; chosen < 2 ** timeCount - 1; chosen++) {
    for (const isFloat of [false, true]) {
      let index = 0
      yield convert(data, { isTime: () => ((chosen >> index++) & 1) === 1, isFloat })
    }
  }
}

interface Choice {
  /** Asked for each text that looks like a time, in order. */
  isTime(): boolean
  /** Whether numbers with a fraction or an exponent were floats. */
  readonly isFloat: boolean
}

function convert(value: IonValue, choice: Choice): IonValue {
  switch (value.type) {
    case 'struct':
      return ionStruct(
        value.fields.map((field) => ({ name: field.name, value: convert(field.value, choice) })),
      )
    case 'list':
      return ionList(value.values.map((element) => convert(element, choice)))
    case 'string': {
      const time = timeOf(value.value)
      return time !== undefined && choice.isTime() ? time : value
    }
    case 'decimal':
      return choice.isFloat ? ionFloat(Number(formatIon(value).replace('d', 'e'))) : value
    default:
      return value
  }
}
