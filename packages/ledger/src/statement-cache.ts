/**
 * Parsed and compiled statements by their text. Applications send the same few texts all the time; parsing, planning
 * and hashing the text then cost a look-up. Compiled forms are kept per version of the catalog.
 */
import { hashIonString } from '@cairn/ion'
import {
  type CompiledStatement,
  compileStatement,
  type ParsedStatement,
  parseStatement,
} from '@cairn/partiql'
import { extensionIn } from './strict-qldb.ts'
import type { TransactionView } from './transaction-view.ts'

/** Statements kept; each holds a syntax tree of a few kilobytes. */
const statementCountMax = 1000
/** Texts longer than this carry their data in them and do not come back. Characters. */
const cachedLengthMax = 4096

interface Entry {
  readonly textHash: Uint8Array
  parsed: ParsedStatement | undefined
  compiled: CompiledStatement | undefined
  catalogVersion: number
  /** Looked for when a strict ledger asks. */
  extension: { readonly name: string | undefined } | undefined
}

export class StatementCache {
  readonly #entries = new Map<string, Entry>()

  /** The Ion hash of the text as a string, the first part of a statement's digest. */
  textHash(text: string): Uint8Array {
    return this.#entry(text).textHash
  }

  /** @throws PartiqlError */
  compile(text: string, view: TransactionView): CompiledStatement {
    const entry = this.#entry(text)
    entry.parsed ??= parseStatement(text)
    if (!view.hasSharedCatalog) return compileStatement(entry.parsed, view)
    if (entry.compiled === undefined || entry.catalogVersion !== view.catalog.version) {
      entry.compiled = compileStatement(entry.parsed, view)
      entry.catalogVersion = view.catalog.version
    }
    return entry.compiled
  }

  /** What in the statement QLDB did not have. @throws PartiqlError */
  extension(text: string): string | undefined {
    const entry = this.#entry(text)
    entry.parsed ??= parseStatement(text)
    entry.extension ??= { name: extensionIn(entry.parsed.statement) }
    return entry.extension.name
  }

  #entry(text: string): Entry {
    const found = this.#entries.get(text)
    if (found !== undefined) return found
    const entry: Entry = {
      textHash: hashIonString(text),
      parsed: undefined,
      compiled: undefined,
      catalogVersion: -1,
      extension: undefined,
    }
    if (text.length <= cachedLengthMax) {
      if (this.#entries.size >= statementCountMax) this.#dropOldest()
      this.#entries.set(text, entry)
    }
    return entry
  }

  #dropOldest(): void {
    for (const text of this.#entries.keys()) {
      this.#entries.delete(text)
      return
    }
  }
}
