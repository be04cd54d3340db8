/**
 * Symbol tables of Ion 1.0: system symbols, local tables, imports of shared tables.
 * Spec: Ion "Symbols". An import is kept as a range, so a huge `max_id` costs nothing.
 */
import { symbolIdError, symbolTableError } from './errors.ts'
import { symbolIdMax } from './limits.ts'
import type { IonStruct, IonValue, SymbolText, UnknownSymbol } from './value.ts'

/** A table of symbols that streams refer to by name and version. Symbol ids in it start at 1. */
export interface SharedSymbolTable {
  readonly name: string
  readonly version: number
  /** Text by id - 1; undefined where the table leaves a gap. */
  readonly symbols: readonly (string | undefined)[]
}

/** Finds shared tables for a reader. */
export interface IonCatalog {
  /** The table of exactly this version, else the greatest version at hand, else undefined. */
  find(name: string, version: number): SharedSymbolTable | undefined
}

/** A catalog over a list of tables. */
export function ionCatalog(tables: readonly SharedSymbolTable[]): IonCatalog {
  return {
    find(name, version) {
      let best: SharedSymbolTable | undefined
      for (const table of tables) {
        if (table.name !== name) continue
        if (table.version === version) return table
        if (best === undefined || table.version > best.version) best = table
      }
      return best
    },
  }
}

/** `$0`: a symbol about which nothing is known. */
export const symbolZero: UnknownSymbol = Object.freeze({ importName: undefined, importSid: 0 })

/** Text by symbol id, from 1. */
export const systemSymbols: readonly string[] = [
  '$ion',
  '$ion_1_0',
  '$ion_symbol_table',
  'name',
  'version',
  'imports',
  'symbols',
  'max_id',
  '$ion_shared_symbol_table',
]
/** First symbol id after the system symbols. */
export const localSidMin: number = systemSymbols.length + 1
export const ionSymbolTableSid = 3

interface ImportRange {
  readonly name: string
  readonly firstSid: number
  readonly maxId: number
  readonly symbols: readonly (string | undefined)[]
}

/** The table in force at one place of a stream. */
export class SymbolTable {
  /** Symbol id of `texts[0]`: 0 without imports, so that the common look-up is one array access. */
  readonly firstSid: number
  readonly texts: SymbolText[]
  readonly #imports: readonly ImportRange[]
  /** Ion hash form of a symbol by index into `texts`; filled as the hash asks for it. */
  readonly hashForms: (Uint8Array | undefined)[] = []
  /** How seldom the values of a field come again, by the same index; see hash-binary.ts. */
  readonly hashMisses: number[] = []
  /** Several streams use this object, so appending copies it. */
  isShared = false

  constructor(imports: readonly ImportRange[], firstSid: number, texts: SymbolText[]) {
    this.#imports = imports
    this.firstSid = firstSid
    this.texts = texts
  }

  get maxSid(): number {
    return this.firstSid + this.texts.length - 1
  }

  get hasImports(): boolean {
    return this.#imports.length > 0
  }

  /** @throws IonError SYMBOL_ID_UNKNOWN */
  textOf(sid: number): SymbolText {
    const text = this.texts[sid - this.firstSid]
    return text === undefined ? this.#importedText(sid) : text
  }

  #importedText(sid: number): SymbolText {
    if (sid >= this.firstSid) throw symbolIdError(sid)
    if (sid === 0) return symbolZero
    if (sid < localSidMin) return systemSymbols[sid - 1] as string
    let low = 0
    let high = this.#imports.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if ((this.#imports[middle] as ImportRange).firstSid <= sid) low = middle
      else high = middle - 1
    }
    const range = this.#imports[low] as ImportRange
    const importSid = sid - range.firstSid + 1
    return range.symbols[importSid - 1] ?? { importName: range.name, importSid }
  }

  /** This table with `texts` behind its last symbol. */
  append(texts: readonly SymbolText[]): SymbolTable {
    const table = this.isShared
      ? new SymbolTable(this.#imports, this.firstSid, this.texts.slice())
      : this
    for (const text of texts) table.texts.push(text)
    return table
  }
}

/** The table in force before a stream defines one. */
export const systemTable: SymbolTable = new SymbolTable([], 0, [symbolZero, ...systemSymbols])
systemTable.isShared = true

/** Whether a top-level value is a local symbol table. */
export function isLocalSymbolTable(value: IonValue): value is IonStruct {
  return value.type === 'struct' && value.annotations[0] === '$ion_symbol_table'
}

/**
 * The table that a local symbol table brings into force after `current`.
 * @throws IonError SYMBOL_TABLE_INVALID
 */
export function applySymbolTable(
  struct: IonStruct,
  current: SymbolTable,
  catalog: IonCatalog | undefined,
): SymbolTable {
  let imports: IonValue | undefined
  let symbols: IonValue | undefined
  for (const { name, value } of struct.fields) {
    if (name === 'imports') {
      if (imports !== undefined) throw symbolTableError('it has the field imports twice')
      imports = value
    } else if (name === 'symbols') {
      if (symbols !== undefined) throw symbolTableError('it has the field symbols twice')
      symbols = value
    }
  }
  const texts: SymbolText[] = []
  if (symbols?.type === 'list') {
    for (const symbol of symbols.values) {
      // Whatever is no string takes its place in the numbering and has no text (spec, "Local symbol tables").
      texts.push(symbol.type === 'string' ? symbol.value : symbolZero)
    }
  }
  if (imports?.type === 'symbol' && imports.text === '$ion_symbol_table') {
    return current.append(texts)
  }
  const ranges = imports?.type === 'list' ? importRanges(imports.values, catalog) : []
  const last = ranges.at(-1)
  if (last === undefined) return systemTable.append(texts)
  return new SymbolTable(ranges, last.firstSid + last.maxId, texts)
}

function importRanges(
  values: readonly IonValue[],
  catalog: IonCatalog | undefined,
): readonly ImportRange[] {
  const ranges: ImportRange[] = []
  let firstSid = localSidMin
  for (const value of values) {
    if (value.type !== 'struct') continue
    const range = importRange(value, firstSid, catalog)
    if (range === undefined || range.maxId === 0) continue
    ranges.push(range)
    firstSid += range.maxId
    if (firstSid > symbolIdMax) throw symbolTableError('its imports define too many symbols')
  }
  return ranges
}

/** Undefined for an entry that the spec says to ignore: one without a usable name, or of the system table. */
function importRange(
  struct: IonStruct,
  firstSid: number,
  catalog: IonCatalog | undefined,
): ImportRange | undefined {
  let name: string | undefined
  let version = 1
  let maxId: number | undefined
  for (const field of struct.fields) {
    const { value } = field
    if (field.name === 'name') {
      if (value.type === 'string') name = value.value
    } else if (field.name === 'version') {
      if (value.type === 'int' && value.value >= 1) version = Number(value.value)
    } else if (field.name === 'max_id') {
      if (value.type !== 'int' || typeof value.value !== 'number' || value.value < 0) {
        throw symbolTableError('the max_id of an import is no count')
      }
      maxId = value.value
    }
  }
  if (name === undefined || name === '' || name === '$ion') return undefined
  const table = catalog?.find(name, version)
  if (maxId === undefined) {
    if (table?.version !== version) {
      throw symbolTableError('an import without max_id is not in the catalog in that version')
    }
    maxId = table.symbols.length
  }
  return { name, firstSid, maxId, symbols: table?.symbols ?? [] }
}
