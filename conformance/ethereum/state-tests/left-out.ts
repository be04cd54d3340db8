/** State tests that are not run, by file, each with its reason. The list may only shrink. */

export interface LeftOut {
  readonly reason: string
  readonly files: readonly string[]
}

/** Every entry of these is a blob transaction (type 3), which Cairn's chains refuse: ethereum-node spec 2.1. */
export const blobFiles: LeftOut = {
  reason: 'blob transactions',
  files: [
    'Cancun/stEIP4844-blobtransactions/blobhashListBounds5.json',
    'Cancun/stEIP4844-blobtransactions/blobhashListBounds6.json',
    'Cancun/stEIP4844-blobtransactions/opcodeBlobhBounds.json',
    'Cancun/stEIP4844-blobtransactions/opcodeBlobhashOutOfRange.json',
    'Pyspecs/cancun/eip4844_blobs/blob_gas_subtraction_tx.json',
    'Pyspecs/cancun/eip4844_blobs/blob_tx_attribute_gasprice_opcode.json',
    'Pyspecs/cancun/eip4844_blobs/blob_type_tx_pre_fork.json',
    'Pyspecs/cancun/eip4844_blobs/insufficient_balance_blob_tx.json',
    'Pyspecs/cancun/eip4844_blobs/invalid_tx_blob_count.json',
    'Pyspecs/cancun/eip4844_blobs/invalid_tx_max_fee_per_blob_gas_state.json',
    'Pyspecs/cancun/eip4844_blobs/sufficient_balance_blob_tx.json',
  ],
}

/** Run with CAIRN_STATE_TESTS=all only. */
export const slowFiles: LeftOut = {
  reason: 'a minute: 2^32 rounds of BLAKE2, for gas that no block has',
  files: ['stTimeConsuming/CALLBlake2f_MaxRounds.json'],
}

/** The same for the TypeScript interpreter, which takes ten times as long or more. */
export const slowTypescriptFiles: LeftOut = {
  reason: 'more than twenty seconds without WebAssembly',
  files: ['VMTests/vmPerformance/loopExp.json'],
}
