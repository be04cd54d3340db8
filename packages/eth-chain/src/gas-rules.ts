/**
 * Gas limit and base fee of a header against its parent: the rules before London, and EIP-1559 from it. The same for
 * every consensus engine. Source: Yellow Paper (4.4.4), EIP-1559, geth 1.13 (consensus/misc).
 */
import { type BlockHeader, type ChainConfig, initialBaseFee, isLondon } from '@cairn/eth-codec'
import { headerError } from './header-error.ts'

/** Gas limits move by less than this part of the parent's in one block. */
const gasLimitDivisor = 1024n
export const gasLimitMin = 5000n
/** geth's params.MaxGasLimit: what a signed 64-bit number holds. */
export const gasLimitMax: bigint = 2n ** 63n - 1n
/** A block may hold twice the gas that its base fee aims at (EIP-1559). */
const elasticityMultiplier = 2n
/** The base fee moves by at most an eighth in one block (EIP-1559). */
const baseFeeChangeDenominator = 8n

/** @throws HeaderError when gas used, gas limit or base fee do not follow from the parent. */
export function checkGasFields(
  config: ChainConfig,
  header: BlockHeader,
  parent: BlockHeader,
): void {
  const { number, gasUsed, gasLimit, baseFeePerGas } = header
  if (gasUsed > gasLimit) {
    throw headerError('GAS_USED_INVALID', number, `: have ${gasUsed}, gasLimit ${gasLimit}`)
  }
  if (!isLondon(config, number)) {
    if (baseFeePerGas !== undefined) {
      const detail = ` before fork: have ${baseFeePerGas}, want <nil>`
      throw headerError('BASE_FEE_INVALID', number, detail)
    }
    checkGasLimit(header, parent.gasLimit)
    return
  }
  checkGasLimit(header, gasLimitReference(config, parent))
  const expected = nextBaseFee(config, parent)
  if (baseFeePerGas === expected) return
  const have = baseFeePerGas === undefined ? '<nil>' : baseFeePerGas
  throw headerError('BASE_FEE_INVALID', number, `: have ${have}, want ${expected}`, [
    `Parent: base fee ${parent.baseFeePerGas ?? 'none'}, gas used ${parent.gasUsed}`,
  ])
}

/** What the next gas limit is measured against: the first London block doubles its parent's. */
function gasLimitReference(config: ChainConfig, parent: BlockHeader): bigint {
  return isLondon(config, parent.number) ? parent.gasLimit : parent.gasLimit * elasticityMultiplier
}

function checkGasLimit({ number, gasLimit }: BlockHeader, reference: bigint): void {
  const difference = gasLimit > reference ? gasLimit - reference : reference - gasLimit
  const bound = reference / gasLimitDivisor
  if (difference >= bound) {
    const detail = `: have ${gasLimit}, want ${reference} +-= ${bound - 1n}`
    throw headerError('GAS_LIMIT_INVALID', number, detail)
  }
  if (gasLimit < gasLimitMin) {
    throw headerError('GAS_LIMIT_INVALID', number, ` below ${gasLimitMin}`)
  }
}

/** The base fee of the block after `parent`, in wei, when that block is under London's rules. */
export function nextBaseFee(config: ChainConfig, parent: BlockHeader): bigint {
  return isLondon(config, parent.number) ? nextBaseFeeOf(parent) : initialBaseFee
}

/** The same where the parent is under London's rules too. */
export function nextBaseFeeOf(
  parent: Pick<BlockHeader, 'baseFeePerGas' | 'gasLimit' | 'gasUsed'>,
): bigint {
  const baseFee = parent.baseFeePerGas ?? initialBaseFee
  // A genesis file may ask for a gas limit of 1, of which half is nothing.
  const target = parent.gasLimit / elasticityMultiplier || 1n
  const { gasUsed } = parent
  if (gasUsed === target) return baseFee
  if (gasUsed > target) {
    const rise = ((gasUsed - target) * baseFee) / target / baseFeeChangeDenominator
    return baseFee + (rise > 1n ? rise : 1n)
  }
  const fall = ((target - gasUsed) * baseFee) / target / baseFeeChangeDenominator
  return baseFee > fall ? baseFee - fall : 0n
}

/** The gas limit of the block after `parent` that comes nearest to what its sealer wants. */
export function nextGasLimit(config: ChainConfig, parent: BlockHeader, wanted: bigint): bigint {
  const isNextLondon = isLondon(config, parent.number + 1n)
  const reference = isNextLondon ? gasLimitReference(config, parent) : parent.gasLimit
  const target = wanted < gasLimitMin ? gasLimitMin : wanted
  const step = reference / gasLimitDivisor - 1n
  if (step <= 0n) return reference
  if (target > reference) return target < reference + step ? target : reference + step
  return target > reference - step ? target : reference - step
}
