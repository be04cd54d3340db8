/** What the node answers, with numbers where people expect them. By the names of members, as web3 does. */

/** Members of blocks, transactions and receipts that are amounts, counts, or neither though they look like it. */
const amountFields: ReadonlySet<string> = new Set([
  'baseFeePerGas',
  'difficulty',
  'effectiveGasPrice',
  'gasPrice',
  'maxFeePerGas',
  'maxPriorityFeePerGas',
  'totalDifficulty',
  'value',
])
const countFields: ReadonlySet<string> = new Set([
  'blockNumber',
  'cumulativeGasUsed',
  'gas',
  'gasLimit',
  'gasUsed',
  'logIndex',
  'number',
  'pending',
  'queued',
  'size',
  'timestamp',
  'transactionIndex',
])

export function readableFields(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(readableFields)
  if (typeof value !== 'object' || value === null) return value
  const isTransaction = 'gasPrice' in value
  return Object.fromEntries(
    Object.entries(value).map(([name, field]: [string, unknown]) => {
      const isCount = countFields.has(name) || (name === 'nonce' && isTransaction)
      if (isQuantity(field) && isCount) return [name, Number(field)]
      if (isQuantity(field) && amountFields.has(name)) return [name, BigInt(field)]
      return [name, readableFields(field)]
    }),
  )
}

export function isQuantity(value: unknown): value is string {
  return typeof value === 'string' && /^0x(?:0|[1-9a-f][0-9a-f]{0,63})$/.test(value)
}
