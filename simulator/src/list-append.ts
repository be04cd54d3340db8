/**
 * Finds anomalies in what clients read and appended, with no look at the journal: the method of Elle for lists.
 * Elements are unique and lists only grow, so that each read shows the order of the appends before it; from that order
 * follow dependencies between transactions, and a cycle of them is an anomaly.
 * Source: Kingsbury and Alvaro, "Elle: Inferring Isolation Anomalies from Experimental Observations", VLDB 2020, 4-6.
 *
 *     ww  the next element of a list is another transaction's     wr  it read an element of another one's
 *     rw  it read a list before another one appended to it        rt  it ended before the other one began
 */

export type ListOperation =
  | { readonly kind: 'append'; readonly list: string; readonly element: string }
  | { readonly kind: 'read'; readonly list: string; readonly elements: readonly string[] }

export interface ListTransaction {
  readonly id: string
  readonly operations: readonly ListOperation[]
  readonly isCommitted: boolean
  /** Points in the real order of events; an end of Infinity: nobody was told. */
  readonly begunAt: number
  readonly endedAt: number
}

type Dependency = 'ww' | 'wr' | 'rw' | 'rt'

interface Edge {
  readonly to: number
  readonly kind: Dependency
}

/** The first anomaly as a sentence that begins with its name in the literature; undefined when there is none. */
export function findAnomaly(transactions: readonly ListTransaction[]): string | undefined {
  const committed = transactions.filter(({ isCommitted }) => isCommitted)
  return (
    findAbortedRead(transactions) ??
    findInternal(committed) ??
    findSplitOrder(committed) ??
    findIntermediateRead(committed) ??
    findCycle(committed)
  )
}

/** G1a: what a transaction appended that did not commit was read by one that did. */
function findAbortedRead(transactions: readonly ListTransaction[]): string | undefined {
  const aborted = new Map<string, string>()
  for (const { id, operations, isCommitted } of transactions) {
    for (const it of isCommitted ? [] : operations) {
      if (it.kind === 'append') aborted.set(it.element, id)
    }
  }
  for (const { id, operations, isCommitted } of transactions) {
    for (const it of isCommitted ? operations : []) {
      const element = it.kind === 'read' ? it.elements.find((one) => aborted.has(one)) : undefined
      if (element !== undefined) return `G1a: ${id} read ${element} of ${aborted.get(element)}`
    }
  }
  return undefined
}

/** Within a transaction, a read shows what was read and appended before. */
function findInternal(transactions: readonly ListTransaction[]): string | undefined {
  for (const { id, operations } of transactions) {
    const known = new Map<string, { elements: string[]; isWhole: boolean }>()
    for (const operation of operations) {
      const before = known.get(operation.list) ?? { elements: [], isWhole: false }
      if (operation.kind === 'append') {
        const elements = [...before.elements, operation.element]
        known.set(operation.list, { ...before, elements })
        continue
      }
      const tail = before.isWhole
        ? operation.elements
        : operation.elements.slice(operation.elements.length - before.elements.length)
      if (tail.join() !== before.elements.join()) return `internal: ${id} read ${operation.list}`
      known.set(operation.list, { elements: [...operation.elements], isWhole: true })
    }
  }
  return undefined
}

/** Any two reads of a list: one is the beginning of the other. */
function findSplitOrder(transactions: readonly ListTransaction[]): string | undefined {
  const longest = longestReads(transactions)
  for (const { id, operations } of transactions) {
    for (const it of operations) {
      if (it.kind !== 'read') continue
      const whole = longest.get(it.list) ?? []
      if (it.elements.some((element, i) => element !== whole[i])) {
        const reads = `[${it.elements.join()}] of ${it.list}, another [${whole.join()}]`
        return `incompatible order: ${id} read ${reads}`
      }
    }
  }
  return undefined
}

function longestReads(transactions: readonly ListTransaction[]): Map<string, readonly string[]> {
  const longest = new Map<string, readonly string[]>()
  for (const { operations } of transactions) {
    for (const it of operations) {
      if (it.kind !== 'read') continue
      if (it.elements.length > (longest.get(it.list)?.length ?? -1)) {
        longest.set(it.list, it.elements)
      }
    }
  }
  return longest
}

/** G1b: of several appends of one transaction to one list, only some were read. */
function findIntermediateRead(transactions: readonly ListTransaction[]): string | undefined {
  const notLast = new Map<string, string>()
  for (const { id, operations } of transactions) {
    const last = new Map<string, string>()
    for (const it of operations) {
      if (it.kind !== 'append') continue
      const before = last.get(it.list)
      if (before !== undefined) notLast.set(before, id)
      last.set(it.list, it.element)
    }
  }
  for (const { id, operations } of transactions) {
    for (const it of operations) {
      const element = it.kind === 'read' ? it.elements.at(-1) : undefined
      const writer = element === undefined ? undefined : notLast.get(element)
      if (writer !== undefined && writer !== id) return `G1b: ${id} read ${element} of ${writer}`
    }
  }
  return undefined
}

function findCycle(transactions: readonly ListTransaction[]): string | undefined {
  const graph = dependencies(transactions)
  const kindsOf: readonly (readonly [name: string, kinds: readonly Dependency[]])[] = [
    ['G0', ['ww']],
    ['G1c', ['ww', 'wr']],
    ['G2', ['ww', 'wr', 'rw']],
    ['not in real order', ['ww', 'wr', 'rw', 'rt']],
  ]
  for (const [name, kinds] of kindsOf) {
    const cycle = cycleIn(graph, new Set(kinds))
    if (cycle === undefined) continue
    const rwCount = cycle.filter(({ kind }) => kind === 'rw').length
    const found = name === 'G2' && rwCount === 1 ? 'G-single' : name
    const path = cycle.map(({ from, kind }) => `${transactions[from]?.id} ─${kind}→`).join(' ')
    return `${found}: ${path} ${transactions[cycle[0]?.from ?? 0]?.id}`
  }
  return undefined
}

function dependencies(transactions: readonly ListTransaction[]): Edge[][] {
  const graph: Edge[][] = transactions.map(() => [])
  const writers = new Map<string, number>()
  for (const [index, { operations }] of transactions.entries()) {
    for (const it of operations) if (it.kind === 'append') writers.set(it.element, index)
  }
  const link = (from: number | undefined, to: number | undefined, kind: Dependency) => {
    if (from !== undefined && to !== undefined && from !== to) graph[from]?.push({ to, kind })
  }
  const longest = longestReads(transactions)
  const writerAt = (list: string, position: number) =>
    writers.get(longest.get(list)?.[position] ?? '')
  for (const [list, elements] of longest) {
    for (let i = 1; i < elements.length; i++) link(writerAt(list, i - 1), writerAt(list, i), 'ww')
  }
  for (const [index, { operations }] of transactions.entries()) {
    const own = new Set(operations.map((it) => (it.kind === 'append' ? it.element : '')))
    for (const it of operations) {
      if (it.kind !== 'read') continue
      const others = it.elements.filter((element) => !own.has(element)).length
      link(writerAt(it.list, others - 1), index, 'wr')
      // The first element that was not there and is not its own.
      let next = others
      while (writerAt(it.list, next) === index) next++
      link(index, writerAt(it.list, next), 'rw')
    }
  }
  linkRealOrder(transactions, link)
  return graph
}

/** Only the youngest ends before each beginning: the rest follows. */
function linkRealOrder(
  transactions: readonly ListTransaction[],
  link: (from: number, to: number, kind: Dependency) => void,
): void {
  const ends = [...transactions.entries()]
    .filter(([, { endedAt }]) => Number.isFinite(endedAt))
    .sort(([, a], [, b]) => a.endedAt - b.endedAt)
  for (const [index, { begunAt }] of transactions.entries()) {
    const before = ends.filter(([, { endedAt }]) => endedAt < begunAt)
    const youngestBegin = Math.max(...before.map(([, one]) => one.begunAt))
    for (const [earlier, { endedAt }] of before) {
      if (endedAt > youngestBegin) link(earlier, index, 'rt')
    }
  }
}

interface Step {
  readonly from: number
  readonly kind: Dependency
}

/** A shortest cycle through edges of these kinds. */
function cycleIn(
  graph: readonly (readonly Edge[])[],
  kinds: ReadonlySet<Dependency>,
): Step[] | undefined {
  let shortest: Step[] | undefined
  const remaining = nodesOnCycles(graph, kinds)
  for (const start of remaining) {
    const cycle = cycleThrough(start, graph, kinds, remaining)
    if (cycle !== undefined && cycle.length < (shortest?.length ?? Number.POSITIVE_INFINITY)) {
      shortest = cycle
    }
  }
  return shortest
}

/** Takes away nodes without a way in, again and again: what is left lies on a cycle or behind one. */
function nodesOnCycles(
  graph: readonly (readonly Edge[])[],
  kinds: ReadonlySet<Dependency>,
): Set<number> {
  const countIn = graph.map(() => 0)
  const used = graph.map((edges) => edges.filter(({ kind }) => kinds.has(kind)))
  for (const edges of used) for (const { to } of edges) countIn[to] = (countIn[to] ?? 0) + 1
  const waiting = [...graph.keys()].filter((node) => countIn[node] === 0)
  const remaining = new Set(graph.keys())
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    remaining.delete(node)
    for (const { to } of used[node] ?? []) {
      countIn[to] = (countIn[to] ?? 0) - 1
      if (countIn[to] === 0) waiting.push(to)
    }
  }
  return remaining
}

/** Breadth first from `start` back to it. */
function cycleThrough(
  start: number,
  graph: readonly (readonly Edge[])[],
  kinds: ReadonlySet<Dependency>,
  within: ReadonlySet<number>,
): Step[] | undefined {
  const cameBy = new Map<number, Step>()
  let front = [start]
  while (front.length > 0) {
    const next: number[] = []
    for (const from of front) {
      for (const { to, kind } of graph[from] ?? []) {
        if (!kinds.has(kind) || !within.has(to) || cameBy.has(to)) continue
        cameBy.set(to, { from, kind })
        if (to === start) return pathTo(start, cameBy)
        next.push(to)
      }
    }
    front = next
  }
  return undefined
}

function pathTo(start: number, cameBy: ReadonlyMap<number, Step>): Step[] {
  const path: Step[] = []
  let node = start
  do {
    const step = cameBy.get(node)
    if (step === undefined) break
    path.unshift(step)
    node = step.from
  } while (node !== start)
  return path
}
