/**
 * What clients do: small transactions over few keys, so that they get into each other's way. Some carry an invariant
 * that every single snapshot must show, whether its transaction commits or not.
 */
import type { SeededRandom } from '@cairn/testing'
import { type Document, indexesIn, memberOf, type Step, textAt, type Value } from './steps.ts'
import { SimulationViolation } from './violation.ts'

/** A transaction as a program sees it. */
export interface ProgramTransaction {
  readonly random: SeededRandom
  /** Runs a step; answers its rows as plain values. */
  run(step: Step): Promise<readonly unknown[]>
  /** A text that nobody had before. */
  unique(): string
}

export type Program = (transaction: ProgramTransaction) => Promise<void>

const accountKeys = ['a0', 'a1', 'a2', 'a3']
const accountBalance = 100
const accountTotal = accountKeys.length * accountBalance
export const registerKeys: readonly string[] = ['r0', 'r1', 'r2']
const pairKeys = ['p0', 'p1']
const handleKeys = ['h0', 'h1', 'h2']
const tags = ['red', 'green', 'blue']
const temporaryTables = ['Temp0', 'Temp1']

/** Makes the tables and the first documents, all in one transaction. */
export const setUp: readonly Step[] = [
  ...['Account', 'Register', 'Pair1', 'Pair2', 'Handle', 'Claim', 'Note'].map(
    (table): Step => ({ kind: 'createTable', table }),
  ),
  // Pair2 and Claim are scanned.
  ...['Account', 'Register', 'Pair1', 'Handle'].map(
    (table): Step => ({ kind: 'createIndex', table, field: 'k' }),
  ),
  { kind: 'createIndex', table: 'Note', field: 'tag' },
  insert('Account', accountKeys, { n: accountBalance }),
  insert('Register', registerKeys, { items: [] }),
  insert('Pair1', pairKeys, { stamp: 'none' }),
  insert('Pair2', pairKeys, { stamp: 'none' }),
]

function insert(table: string, keys: readonly string[], rest: Document): Step {
  return { kind: 'insert', table, documents: keys.map((k) => ({ k, ...rest })) }
}

/** The tables that an audit looks at, with the fields that it looks things up by. */
export const auditedKeys: ReadonlyMap<string, readonly { field: string; value: string }[]> =
  new Map([
    ['Account', matches('k', accountKeys)],
    ['Register', matches('k', registerKeys)],
    ['Pair1', matches('k', pairKeys)],
    ['Pair2', []],
    ['Handle', matches('k', handleKeys)],
    ['Claim', []],
    ['Note', matches('tag', tags)],
  ])

function matches(field: string, values: readonly string[]): { field: string; value: string }[] {
  return values.map((value) => ({ field, value }))
}

/** @param focus Where in the list below, from 0 to 1, the program stands that `focusShare` of all choices fall on. */
export function programChooser(
  focus: number,
  focusShare: number,
): (random: SeededRandom) => Program {
  const focused = contended[Math.floor(focus * contended.length)]
  return (random) => {
    if (focused !== undefined && random.chance(focusShare)) return focused
    let rest = random.fraction()
    for (const [share, program] of programs) {
      if (rest < share) return program
      rest -= share
    }
    return readEverything
  }
}

function pick<T>(random: SeededRandom, values: readonly T[]): T {
  return values[random.below(values.length)] as T
}

const transfer: Program = async (tx) => {
  const { random } = tx
  const [from, to] = [pick(random, accountKeys), pick(random, accountKeys)]
  if (from === to) return
  const amount = 1 + random.below(20)
  const balanceOf = async (k: string) => {
    const rows = await tx.run({
      kind: 'select',
      table: 'Account',
      match: { field: 'k', value: k },
    })
    return Number(memberOf(memberOf(rows[0], 'doc'), 'n'))
  }
  const [a, b] = [await balanceOf(from), await balanceOf(to)]
  await tx.run(setField('Account', from, 'n', a - amount))
  await tx.run(setField('Account', to, 'n', b + amount))
}

function setField(table: string, k: string, field: string, value: Value): Step {
  return { kind: 'set', table, match: { field: 'k', value: k }, field, value }
}

/** Whatever was transferred, there is as much as in the beginning. */
const sumUp: Program = async (tx) => {
  const rows = await tx.run({ kind: 'select', table: 'Account' })
  const total = rows.reduce<number>((sum, row) => {
    return sum + Number(memberOf(memberOf(row, 'doc'), 'n'))
  }, 0)
  if (total === accountTotal) return
  throw new SimulationViolation('half', `the accounts hold ${total} instead of ${accountTotal}`)
}

/** Reads and appends of lists, for list-append.ts. */
const useRegisters: Program = async (tx) => {
  const count = 1 + tx.random.below(3)
  for (let i = 0; i < count; i++) {
    const match = { field: 'k', value: pick(tx.random, registerKeys) }
    if (tx.random.chance(0.5)) await tx.run({ kind: 'select', table: 'Register', match })
    else {
      const field = 'items'
      await tx.run({ kind: 'append', table: 'Register', match, field, value: tx.unique() })
    }
  }
}

const stampPair: Program = async (tx) => {
  const k = pick(tx.random, pairKeys)
  const stamp = tx.unique()
  const tables = tx.random.chance(0.5) ? ['Pair1', 'Pair2'] : ['Pair2', 'Pair1']
  for (const table of tables) await tx.run(setField(table, k, 'stamp', stamp))
}

/** Both halves of a pair are stamped in one transaction, always. */
const comparePair: Program = async (tx) => {
  const match = { field: 'k', value: pick(tx.random, pairKeys) }
  const stamps: string[] = []
  for (const table of ['Pair1', 'Pair2']) {
    const rows = await tx.run({ kind: 'select', table, match })
    stamps.push(textAt(memberOf(rows[0], 'doc'), 'stamp'))
  }
  if (stamps[0] === stamps[1]) return
  throw new SimulationViolation('half', `a pair has the stamps ${stamps.join(' and ')}`)
}

/** Takes a key when it is free: through an index, or by a scan. */
const take: Program = async (tx) => {
  const table = pick(tx.random, ['Handle', 'Claim'])
  const k = pick(tx.random, handleKeys)
  const match = { field: 'k', value: k }
  const rows = await tx.run({ kind: 'select', table, match })
  if (rows.length > 1) {
    throw new SimulationViolation('not serializable', `${table} has the key ${k} twice`)
  }
  const owner = tx.unique()
  if (rows.length === 0) await tx.run({ kind: 'insert', table, documents: [{ k, owner }] })
  else if (tx.random.chance(0.6)) await tx.run({ kind: 'delete', table, match })
  else await tx.run(setField(table, k, 'owner', owner))
}

const writeNotes: Program = async (tx) => {
  const { random } = tx
  const tag = pick(random, tags)
  const count = 1 + random.below(3)
  const documents = Array.from({ length: count }, () => ({ tag, text: tx.unique() }))
  await tx.run({ kind: 'insert', table: 'Note', documents })
  const match = { field: 'tag', value: pick(random, tags) }
  const choice = random.fraction()
  if (choice < 0.3) await tx.run({ kind: 'delete', table: 'Note', match })
  else if (choice < 0.5) {
    await tx.run({ kind: 'set', table: 'Note', match, field: 'tag', value: pick(random, tags) })
  }
}

const changeTables: Program = async (tx) => {
  const { random } = tx
  const table = pick(random, temporaryTables)
  const stamp = tx.unique()
  const choice = random.fraction()
  if (choice < 0.2) await tx.run({ kind: 'createTable', table })
  else if (choice < 0.5) {
    const rows = await tx.run({ kind: 'tables' })
    const isThere = rows.some(
      (row) => textAt(row, 'name') === table && textAt(row, 'status') === 'ACTIVE',
    )
    await tx.run({ kind: isThere && random.chance(0.8) ? 'dropTable' : 'createTable', table })
    if (isThere) return
  }
  for (let i = random.below(3); i >= 0; i--) {
    await tx.run({ kind: 'insert', table, documents: [{ k: 't', stamp }] })
  }
}

/** Makes and drops an index on what is there already. */
const changeIndexes: Program = async (tx) => {
  const rows = await tx.run({ kind: 'tables' })
  const notes = rows.find((row) => textAt(row, 'name') === 'Note')
  const index = indexesIn(notes).find(({ field }) => field === 'text')
  if (index === undefined) await tx.run({ kind: 'createIndex', table: 'Note', field: 'text' })
  else {
    const { indexId, field } = index
    await tx.run({ kind: 'dropIndex', table: 'Note', field, indexId })
  }
}

const readNotes: Program = async (tx) => {
  const match = { field: 'tag', value: pick(tx.random, tags) }
  await tx.run({ kind: 'committed', table: 'Note', match })
  await tx.run({ kind: 'select', table: 'Note', match })
}

/** Takes the data out of an old revision; now and then of one that is not old, which must be refused. */
const redactOld: Program = async (tx) => {
  const { random } = tx
  const table = pick(random, ['Account', 'Handle', 'Note'])
  const tables = await tx.run({ kind: 'tables' })
  const tableId = textAt(
    tables.find((row) => textAt(row, 'name') === table),
    'tableId',
  )
  const rows = await tx.run({ kind: 'history', table })
  if (rows.length === 0) return
  const last = new Map<string, number>()
  for (const row of rows) {
    const metadata = memberOf(row, 'metadata')
    const version = Number(memberOf(metadata, 'version'))
    const id = textAt(metadata, 'id')
    last.set(id, Math.max(version, last.get(id) ?? 0))
  }
  const isOld = (row: unknown) => {
    const metadata = memberOf(row, 'metadata')
    return Number(memberOf(metadata, 'version')) < (last.get(textAt(metadata, 'id')) ?? 0)
  }
  const old = rows.filter(isOld)
  const row = pick(random, old.length === 0 || random.chance(0.1) ? rows : old)
  const address = memberOf(row, 'blockAddress')
  await tx.run({
    kind: 'redact',
    table,
    tableId,
    blockAddress: {
      strandId: textAt(address, 'strandId'),
      sequenceNo: Number(memberOf(address, 'sequenceNo')),
    },
    documentId: textAt(memberOf(row, 'metadata'), 'id'),
    version: Number(memberOf(memberOf(row, 'metadata'), 'version')),
  })
  if (random.chance(0.3)) await tx.run({ kind: 'history', table })
}

const readHistory: Program = async (tx) => {
  await tx.run({ kind: 'history', table: pick(tx.random, ['Account', 'Handle', 'Note']) })
}

const readEverything: Program = async (tx) => {
  for (const table of ['Register', 'Pair2', 'Claim', 'Note']) {
    await tx.run({ kind: 'select', table })
  }
}

const programs: readonly (readonly [share: number, program: Program])[] = [
  [0.14, transfer],
  [0.07, sumUp],
  [0.16, useRegisters],
  [0.1, stampPair],
  [0.07, comparePair],
  [0.15, take],
  [0.08, writeNotes],
  [0.08, changeTables],
  [0.03, changeIndexes],
  [0.03, readNotes],
  [0.03, readHistory],
  [0.04, redactOld],
]

/** What is worth doing by all clients at once; more often what the fewest conflicts come from otherwise. */
const contended: readonly Program[] = [
  take,
  take,
  changeTables,
  changeTables,
  writeNotes,
  transfer,
  useRegisters,
  stampPair,
]
