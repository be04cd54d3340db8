/** A structural print of syntax, positions left out: two expressions that read the same print the same. */

/** @param node Any syntax node. */
export function printNode(node: unknown): string {
  return JSON.stringify(node, (key, value: unknown) => {
    if (key === 'position') return undefined
    return typeof value === 'bigint' ? `${value}n` : value
  })
}

/** True when the expression, sub-queries left out, holds a node of this kind. */
export function containsKind(node: unknown, kind: string): boolean {
  if (typeof node !== 'object' || node === null) return false
  const record = node as Readonly<Record<string, unknown>>
  if (record['kind'] === kind) return true
  if (record['kind'] === 'query' || record['kind'] === 'literal') return false
  return Object.values(record).some((child) => containsKind(child, kind))
}
