/** Amounts as people write them: `1000ether`, `1.5ether`, `5gwei`, `7wei`, `7`. */

const decimals: Readonly<Record<string, number>> = {
  ether: 18,
  finney: 15,
  szabo: 12,
  gwei: 9,
  mwei: 6,
  kwei: 3,
  wei: 0,
}

/** @returns wei, or undefined when the text is no amount or has more digits than its unit. */
export function etherAmount(text: string): bigint | undefined {
  const match = /^(\d{1,60})(?:\.(\d{1,18}))?(ether|finney|szabo|gwei|mwei|kwei|wei)?$/.exec(text)
  if (match === null) return undefined
  const [, whole = '', fraction = '', unit = 'wei'] = match
  const places = decimals[unit] ?? 0
  if (fraction.length > places) return undefined
  return BigInt(whole + fraction.padEnd(places, '0'))
}
