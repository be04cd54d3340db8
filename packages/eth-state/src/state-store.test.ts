import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { toHex } from '@cairn/core'
import {
  type Account,
  type AccountChange,
  emptyCodeHash,
  emptyTrieRoot,
  encodeRlp,
  keccak256,
  type StateChanges,
} from '@cairn/eth-codec'
import { createMPT, verifyMPTWithMerkleProof } from '@ethereumjs/mpt'
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { encodeTrieAccount } from './account-row.ts'
import type { State } from './chain-state.ts'
import { historyCountMax } from './committed-rows.ts'
import { type Database, lastKey } from './database.ts'
import { openLmdbDatabase } from './lmdb-database.ts'
import { createMemoryDatabase } from './memory-database.ts'
import { StateReplica } from './state-replica.ts'
import { openStateStore, type StateStore } from './state-store.ts'
import { secureTrieRoot } from './trie-root.ts'

const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'cairn-state-'))
  folders.push(folder)
  return folder
}

// ---- a state as anybody would write it down ----

interface ModelAccount {
  readonly balance: bigint
  readonly nonce: bigint
  readonly codeHash: Uint8Array
  readonly storage: ReadonlyMap<number, bigint>
}
type Model = ReadonlyMap<number, ModelAccount>

const addressOf = (no: number): Uint8Array => keccak256(Uint8Array.of(no)).slice(0, 20)
const slotOf = (no: number): Uint8Array => new Uint8Array(32).fill(no)
const wordOf = (value: bigint): Uint8Array => {
  const word = new Uint8Array(32)
  new DataView(word.buffer).setBigUint64(24, value)
  return word
}
const trimmedOf = (value: bigint): Uint8Array => {
  const word = wordOf(value)
  return word.slice(word.findIndex((byte) => byte !== 0))
}

function modelRoot(model: Model): string {
  const entries = [...model].map(([no, account]) => {
    const slots = [...account.storage].map(
      ([slot, value]) => [slotOf(slot), encodeRlp(trimmedOf(value))] as const,
    )
    const value = encodeTrieAccount({ ...account, storageRoot: secureTrieRoot(slots) })
    return [addressOf(no), value] as const
  })
  return toHex(secureTrieRoot(entries))
}

interface ModelChange {
  readonly no: number
  readonly kind: 'put' | 'clear' | 'delete'
  readonly balance: bigint
  readonly code: Uint8Array | undefined
  readonly slots: ReadonlyMap<number, bigint>
}

function applyToModel(model: Model, changes: readonly ModelChange[]): Model {
  const after = new Map(model)
  for (const { no, kind, balance, code, slots } of changes) {
    const before = model.get(no)
    if (kind === 'delete') {
      after.delete(no)
      continue
    }
    const storage = new Map(kind === 'clear' ? [] : before?.storage)
    for (const [slot, value] of slots) {
      if (value === 0n) storage.delete(slot)
      else storage.set(slot, value)
    }
    const codeHash = code === undefined ? emptyCodeHash : keccak256(code)
    after.set(no, { balance, nonce: BigInt(no), codeHash, storage })
  }
  return after
}

function toChanges(changes: readonly ModelChange[]): StateChanges {
  return {
    accounts: changes.map(({ no, kind, balance, code, slots }): AccountChange => {
      const codeHash = code === undefined ? emptyCodeHash : keccak256(code)
      const account: Account = { nonce: BigInt(no), balance, codeHash }
      return {
        address: addressOf(no),
        account: kind === 'delete' ? undefined : account,
        storageCleared: kind !== 'put',
        storage: Array.from(slots, ([slot, value]) => ({
          slot: slotOf(slot),
          value: wordOf(value),
        })),
      }
    }),
    codes: changes.flatMap(({ code }) =>
      code === undefined ? [] : [{ codeHash: keccak256(code), code }],
    ),
  }
}

function expectState(state: State, model: Model): void {
  expect(toHex(state.root)).toBe(modelRoot(model))
  for (let no = 0; no < accountCount; no++) {
    const account = state.readAccount(addressOf(no))
    const expected = model.get(no)
    expect(account?.balance).toBe(expected?.balance)
    expect(account?.nonce).toBe(expected?.nonce)
    if (account !== undefined) {
      expect(account.codeHash).toEqual(expected?.codeHash)
      expect(keccak256(state.readCode(account.codeHash))).toEqual(new Uint8Array(account.codeHash))
    }
    for (let slot = 0; slot < slotCount; slot++) {
      expect(toHex(state.readStorage(addressOf(no), slotOf(slot)))).toBe(
        toHex(wordOf(expected?.storage.get(slot) ?? 0n)),
      )
    }
  }
  if (state.isCommitted) expectRanges(state, model)
}

/** What there is by hash, from the first one on and from one in the middle. */
function expectRanges(state: State, model: Model): void {
  for (const first of [0, 0x80]) {
    const start = new Uint8Array(32)
    start[0] = first
    const hashes = [...model.keys()].map((no) => toHex(keccak256(addressOf(no)))).sort()
    const accounts = [...state.accountsFrom(start)].map(({ addressHash }) => toHex(addressHash))
    expect(accounts).toEqual(hashes.filter((hash) => hash >= toHex(start)))
    for (const [no, { storage }] of model) {
      const expected = [...storage]
        .map(([slot, value]) => [toHex(keccak256(slotOf(slot))), toHex(wordOf(value))] as const)
        .filter(([hash]) => hash >= toHex(start))
        .sort(([a], [b]) => (a < b ? -1 : 1))
      const slots = [...state.slotsFrom(addressOf(no), start)]
      expect(slots.map(({ slotHash, value }) => [toHex(slotHash), toHex(value)])).toEqual(expected)
    }
  }
}

// ---- what happens to it ----

const accountCount = 6
const slotCount = 4
const change: fc.Arbitrary<ModelChange> = fc.record({
  no: fc.integer({ min: 0, max: accountCount - 1 }),
  kind: fc.constantFrom('put', 'put', 'put', 'clear', 'delete'),
  balance: fc.oneof(fc.constant(0n), fc.bigInt({ min: 1n, max: 2n ** 200n })),
  code: fc.option(fc.uint8Array({ minLength: 1, maxLength: 3 }), { nil: undefined }),
  slots: fc
    .dictionary(
      fc.integer({ min: 0, max: slotCount - 1 }).map(String),
      fc.constantFrom(0n, 1n, 127n, 128n, 2n ** 63n),
    )
    .map((record) => new Map(Object.entries(record).map(([k, v]) => [Number(k), v]))),
})
const block = fc.uniqueArray(change, { maxLength: 4, selector: (each) => each.no })
type Step =
  | { readonly kind: 'blocks'; readonly back: number; readonly blocks: ModelChange[][] }
  | { readonly kind: 'drop'; readonly block: ModelChange[] }
  | { readonly kind: 'late'; readonly first: ModelChange[]; readonly second: ModelChange[] }
  | { readonly kind: 'undo'; readonly back: number }
  | { readonly kind: 'flush' | 'reopen' | 'fail' }
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('blocks' as const),
      back: fc.constantFrom(0, 0, 0, 1, 3),
      blocks: fc.array(block, { maxLength: 3 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('drop' as const), block }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('late' as const), first: block, second: block }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('undo' as const), back: fc.constantFrom(1, 2) }),
  },
  {
    weight: 3,
    arbitrary: fc.constantFrom<Step>({ kind: 'flush' }, { kind: 'reopen' }, { kind: 'fail' }),
  },
)

function runSteps(database: Database, isArchive: boolean, steps: readonly Step[]): StateStore {
  let store = openStateStore(database, { isArchive })
  const replica = new StateReplica(database, { isArchive })
  /** Models from the first state to the head; a state that repeats its parent is one. */
  let line: Model[] = [new Map()]
  const push = (model: Model) => {
    const last = line.at(-1)
    if (last === undefined || modelRoot(last) !== modelRoot(model)) line.push(model)
  }
  const stateOf = (model: Model, at: StateStore | StateReplica = store): State => {
    const state = at.stateAt(rootBytes(model))
    if (state === undefined) throw new Error('A state is not kept.')
    return state
  }
  for (const each of steps) {
    const lineBefore = [...line]
    let isUndone = false
    const head = line.at(-1) as Model
    switch (each.kind) {
      case 'blocks': {
        line = line.slice(0, Math.max(1, line.length - each.back))
        let state = stateOf(line.at(-1) as Model)
        let model = line.at(-1) as Model
        for (const changes of each.blocks) {
          state = store.stage(state, toChanges(changes))
          model = applyToModel(model, changes)
          expectState(state, model)
          push(model)
        }
        store.commit(state)
        break
      }
      case 'drop':
        expectState(store.stage(store.head, toChanges(each.block)), applyToModel(head, each.block))
        break
      case 'late': {
        isUndone = true
        // Two children of one state, of which the second comes after the first was committed and written.
        const first = store.stage(store.head, toChanges(each.first))
        const second = store.stage(store.head, toChanges(each.second))
        store.commit(first)
        store.flush()
        store.commit(second)
        push(applyToModel(head, each.second))
        break
      }
      case 'undo':
        line = line.slice(0, Math.max(1, line.length - each.back))
        store.commit(stateOf(line.at(-1) as Model))
        break
      case 'flush':
        store.flush()
        break
      case 'reopen':
        store = openStateStore(database, { isArchive })
        break
      case 'fail': {
        const staged = store.stage(store.head, toChanges([failing]))
        const fail = () =>
          store.commit(staged, () => {
            throw new Error('the disk is full')
          })
        expect(fail).toThrow('the disk is full')
        break
      }
    }
    expectState(store.head, line.at(-1) as Model)
    isUndone ||= lineBefore.some((model, index) => model !== line[index])
    replica.follow(isUndone)
    for (const model of line.slice(-3)) expectState(stateOf(model, replica), model)
  }
  for (const model of line) expectState(stateOf(model), model)
  expectNoNodesLeftOver(database, store, line.at(-1) as Model)
  return store
}

/** As many rows of nodes as where the same state was made in one go. */
function expectNoNodesLeftOver(database: Database, store: StateStore, model: Model): void {
  const countNodes = (of: Database) =>
    ['accountNodes', 'storageNodes'].map(
      (name) => [...of.table(name).range(Uint8Array.of(0), lastKey)].length,
    )
  store.flush()
  const fresh = createMemoryDatabase()
  const other = openStateStore(fresh)
  const accounts = Array.from(model, ([no, { balance, nonce, codeHash, storage }]) => ({
    address: addressOf(no),
    account: { balance, nonce, codeHash },
    storageCleared: false,
    storage: Array.from(storage, ([slot, value]) => ({ slot: slotOf(slot), value: wordOf(value) })),
  }))
  other.commit(other.stage(other.head, { accounts, codes: [] }))
  other.flush()
  if (model.size > 0) expect(countNodes(database)).toEqual(countNodes(fresh))
}

function rootBytes(model: Model): Uint8Array {
  return Buffer.from(modelRoot(model), 'hex')
}

const failing: ModelChange = {
  no: 0,
  kind: 'put',
  balance: 77n,
  code: undefined,
  slots: new Map([[0, 77n]]),
}

describe.each([false, true])('state store (archive: %s)', (isArchive) => {
  it('holds every state, whatever is staged, committed, dropped, undone and reopened', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
        runSteps(createMemoryDatabase(), isArchive, steps)
      }),
      { numRuns: 60 },
    )
  })

  it('does so on a disk', async () => {
    for (const steps of fc.sample(fc.array(step, { minLength: 8, maxLength: 12 }), 5)) {
      const database = openLmdbDatabase(makeFolder())
      runSteps(database, isArchive, steps)
      await database.close()
    }
  })

  it(isArchive ? 'keeps all states' : 'keeps the last 128 states', () => {
    const database = createMemoryDatabase()
    const store = openStateStore(database, { isArchive })
    const replica = new StateReplica(database, { isArchive })
    const put = (balance: bigint) => store.stage(store.head, toChanges([{ ...failing, balance }]))
    const roots: Uint8Array[] = []
    const first = put(1n)
    for (let i = 1n; i <= 300n; i++) {
      const state = put(i)
      store.commit(state)
      roots.push(state.root)
    }
    const kept = roots.filter((root) => store.stateAt(root) !== undefined)
    expect(kept.length).toBe(isArchive ? 300 : historyCountMax + 1)
    // It was far behind: what it did not see was written to the tables since.
    replica.follow(false)
    for (const [index, root] of kept.entries()) {
      const balance = BigInt(300 - kept.length + 1 + index)
      for (const each of [store, replica]) {
        expect(each.stateAt(root)?.readAccount(addressOf(0))?.balance).toBe(balance)
      }
    }
    const range = (root?: Uint8Array) => [
      ...(store.stateAt(root as Uint8Array)?.accountsFrom(new Uint8Array(32)) ?? []),
    ]
    expect(range(kept.at(-1 - historyCountMax))).toHaveLength(1)
    // Every commit since is looked at, and there are as many as there are blocks.
    if (isArchive) {
      expect(() => range(kept[0])).toThrow('not kept any more')
      return
    }
    expect(() => store.readerAt(roots[0] as Uint8Array)).toThrow('not kept any more')
    expect(() => first.readAccount(addressOf(1))).toThrow('not kept any more')
    expect(() => store.commit(first)).toThrow('not kept any more')
  })
})

describe('state store', () => {
  it('proves accounts and slots at the head and before it, as the official library verifies it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(block, { minLength: 1, maxLength: 5 }), async (blocks) => {
        const store = openStateStore(createMemoryDatabase())
        const states: [Model, Uint8Array][] = [[new Map(), emptyTrieRoot]]
        for (const changes of blocks) {
          const state = store.stage(store.head, toChanges(changes))
          store.commit(state)
          states.push([applyToModel(states.at(-1)?.[0] ?? new Map(), changes), state.root])
        }
        for (const [model, root] of states) {
          const state = store.stateAt(root) as State
          for (let no = 0; no < accountCount; no++) {
            const slots = [slotOf(0), slotOf(3)]
            const proof = store.proof(state, addressOf(no), slots)
            if (toHex(root) === toHex(emptyTrieRoot)) {
              expect(proof.accountProof).toEqual([])
              continue
            }
            const official = await createMPT()
            const key = keccak256(addressOf(no))
            const found = await verifyMPTWithMerkleProof(official, root, key, [
              ...proof.accountProof,
            ])
            const isThere = model.has(no)
            expect(found === null ? undefined : toHex(found)).toBe(
              isThere ? toHex(encodeTrieAccount(proof.account)) : undefined,
            )
            for (const [i, slot] of [0, 3].entries()) {
              const each = proof.storageProofs[i]
              const value = model.get(no)?.storage.get(slot) ?? 0n
              expect(toHex(each?.value ?? new Uint8Array(0))).toBe(toHex(wordOf(value)))
              if (toHex(proof.account.storageRoot) === toHex(emptyTrieRoot)) continue
              const proven = await verifyMPTWithMerkleProof(
                await createMPT(),
                proof.account.storageRoot,
                keccak256(slotOf(slot)),
                [...(each?.proof ?? [])],
              )
              expect(proven === null ? '' : toHex(proven)).toBe(
                value === 0n ? '' : toHex(encodeRlp(trimmedOf(value))),
              )
            }
          }
        }
      }),
      { numRuns: 25 },
    )
  })

  it('refuses a format that it does not know', () => {
    const database = createMemoryDatabase()
    const store = openStateStore(database)
    store.commit(store.stage(store.head, toChanges([failing])))
    const meta = database.table('stateMeta')
    database.writeSync(() => meta.put(new TextEncoder().encode('format'), Uint8Array.of(9)))
    expect(() => openStateStore(database)).toThrow('another version')
  })

  it('writes what comes along in the same write, or nothing', () => {
    const database = createMemoryDatabase()
    const store = openStateStore(database)
    const table = database.table('chain')
    store.commit(store.stage(store.head, toChanges([failing])), () =>
      table.put(Uint8Array.of(1), Uint8Array.of(2)),
    )
    expect(table.get(Uint8Array.of(1))).toEqual(Uint8Array.of(2))
    // A block that changes nothing has something to write nonetheless.
    store.commit(store.head, () => table.put(Uint8Array.of(1), Uint8Array.of(3)))
    expect(table.get(Uint8Array.of(1))).toEqual(Uint8Array.of(3))
  })
})

describe('a full disk', () => {
  it('stops commits and what is written with them now and then, and they go on with room', async () => {
    const folder = makeFolder()
    let freeBytes = 2 ** 40
    const database = openLmdbDatabase(folder, { freeBytes: () => freeBytes })
    const store = openStateStore(database)
    const full = expect.objectContaining({ code: 'DISK_FULL' })
    const changeNo = (no: number): StateChanges => ({
      accounts: [
        {
          address: addressOf(no % 100),
          account: { nonce: BigInt(no), balance: 1n, codeHash: emptyCodeHash },
          storageCleared: false,
          storage: [{ slot: slotOf(no % 7), value: wordOf(BigInt(no)) }],
        },
      ],
      codes: [],
    })
    const roots: string[] = []
    for (let no = 1; no <= 200; no++) {
      const before = store.head.root
      const state = store.stage(store.head, changeNo(no))
      freeBytes = 0
      expect(() => store.commit(state)).toThrow(full)
      store.flush()
      expect(store.head.root).toEqual(before)
      freeBytes = 2 ** 40
      if (no % 2 === 0) store.commit(state)
      else store.commit(store.stage(store.head, changeNo(no)))
      expect(store.head.root).toEqual(state.root)
      roots.push(toHex(state.root))
    }
    await database.close()
    const again = openLmdbDatabase(folder)
    const reopened = openStateStore(again)
    expect(toHex(reopened.head.root)).toBe(roots.at(-1))
    const other = openStateStore(createMemoryDatabase())
    for (let no = 1; no <= 200; no++) other.commit(other.stage(other.head, changeNo(no)))
    expect(toHex(other.head.root)).toBe(roots.at(-1))
    const proof = reopened.proof(reopened.head, addressOf(1), [slotOf(1)])
    expect(proof.accountProof).toEqual(other.proof(other.head, addressOf(1), []).accountProof)
    await again.close()
  })
})
