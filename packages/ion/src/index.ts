/** `@cairn/ion`: Ion 1.0 values, codecs and hash. Browser-safe. */

export { decodeIon, decodeIonAll } from './binary-reader.ts'
export { encodeIon, encodeIonAll } from './binary-writer.ts'
export { equalIon } from './equal.ts'
export { IonError, type IonErrorType } from './errors.ts'
export {
  hashIon,
  hashIonBytes,
  hashIonBytesWith,
  hashIonElements,
  hashIonField,
  hashIonString,
  hashIonWith,
  type IonHashes,
  type IonHashFunction,
  ionHashForm,
  ionHashName,
} from './hash.ts'
export { IonHashWriter } from './hash-writer.ts'
export { type EmbeddedIon, embedIon, ionFromJs, jsFromIon } from './js-values.ts'
export { formatIonAsJson } from './json-text.ts'
export { decimalExponentMax, fractionDigitsMax, nestingDepthMax } from './limits.ts'
export { compareNumbers, type IonNumber } from './numbers.ts'
export { type IonCatalog, ionCatalog, type SharedSymbolTable, symbolZero } from './symbol-table.ts'
export { parseIon, parseIonAll } from './text-reader.ts'
export { type FormatIonOptions, formatIon } from './text-writer.ts'
export { compareTimestamps, formatTimestamp, timestampToMs } from './timestamp.ts'
export {
  type Annotations,
  fieldOf,
  type IonBool,
  type IonDecimal,
  type IonField,
  type IonFloat,
  type IonInt,
  type IonLob,
  type IonNull,
  type IonSequence,
  type IonString,
  type IonStruct,
  type IonSymbol,
  type IonTimestamp,
  type IonType,
  type IonValue,
  ionBlob,
  ionBool,
  ionClob,
  ionDecimal,
  ionFloat,
  ionInt,
  ionList,
  ionNegativeZero,
  ionNull,
  ionRecord,
  ionSexp,
  ionString,
  ionStruct,
  ionSymbol,
  ionTimestampFromMs,
  noAnnotations,
  type SymbolText,
  type TimestampPrecision,
  type UnknownSymbol,
} from './value.ts'
