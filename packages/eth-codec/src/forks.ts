/**
 * The names of Ethereum's rule sets in the order in which they came. What a rule set changes in execution is a table of
 * eth-evm; when it starts on a chain is in chain-config.ts.
 */

export const forkNames = [
  'frontier',
  'homestead',
  'tangerineWhistle',
  'spuriousDragon',
  'byzantium',
  'constantinople',
  'petersburg',
  'istanbul',
  'berlin',
  'london',
  'paris',
  'shanghai',
  'cancun',
] as const

export type ForkName = (typeof forkNames)[number]

const forkNumbers: ReadonlyMap<ForkName, number> = new Map(
  forkNames.map((name, index) => [name, index]),
)

/** Whether the rules of `fork` hold those of `atLeast`: `includesFork('london', 'berlin')`. */
export function includesFork(fork: ForkName, atLeast: ForkName): boolean {
  return (forkNumbers.get(fork) as number) >= (forkNumbers.get(atLeast) as number)
}
