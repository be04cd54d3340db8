/**
 * What QLDB refused and this engine can do (qldb-compat 5.6), looked for in a statement's syntax tree, and the limits
 * that QLDB had (5.8). A ledger that is strict refuses both, whatever the configuration allows.
 */
import type { Statement } from '@cairn/partiql'
import { defaultLimits, type LedgerLimits } from './limits.ts'

/** @returns The clause that QLDB did not have, as one writes it; undefined when it had all of them. */
export function extensionIn(statement: Statement): string | undefined {
  return findIn(statement)
}

/** Never more than QLDB allowed; less where the configuration says so. */
export function strictLimitsOf(limits: LedgerLimits): LedgerLimits {
  const strict: Record<string, number> = {}
  for (const [name, value] of Object.entries(limits)) {
    strict[name] = Math.min(value, defaultLimits[name as keyof LedgerLimits])
  }
  return strict as unknown as LedgerLimits
}

type TreeNode = Readonly<Record<string, unknown>>

/** Nodes are plain records; whatever they hold is looked through. Values of literals have no such kinds. */
function findIn(value: unknown): string | undefined {
  if (Array.isArray(value)) {
    for (const each of value) {
      const found = findIn(each)
      if (found !== undefined) return found
    }
    return undefined
  }
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return undefined
  const node = value as TreeNode
  if (node['kind'] === 'literal') return undefined
  return extensionOf(node) ?? findIn(Object.values(node))
}

function extensionOf(node: TreeNode): string | undefined {
  switch (node['kind']) {
    case 'ordered':
      return orderedExtension(node)
    case 'set':
      return String(node['operator'])
    case 'case':
      return 'CASE'
    case 'pivot':
      return 'PIVOT'
    case 'join':
      return node['type'] === 'inner' ? undefined : `${String(node['type']).toUpperCase()} JOIN`
    case 'aggregate':
      return node['isDistinct'] === true ? 'DISTINCT' : undefined
    case 'select':
      return selectExtension(node)
    default:
      return undefined
  }
}

function orderedExtension({ orderBy, limit }: TreeNode): string {
  if (Array.isArray(orderBy) && orderBy.length > 0) return 'ORDER BY'
  return limit === undefined ? 'OFFSET' : 'LIMIT'
}

function selectExtension(node: TreeNode): string | undefined {
  if (node['isDistinct'] === true) return 'DISTINCT'
  if (isFilled(node['groupBy']) || node['groupAs'] !== undefined) return 'GROUP BY'
  if (node['having'] !== undefined) return 'HAVING'
  return isFilled(node['lets']) ? 'LET' : undefined
}

function isFilled(list: unknown): boolean {
  return Array.isArray(list) && list.length > 0
}
