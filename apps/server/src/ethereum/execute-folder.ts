/** The chain of a folder and what executes it, on the thread that calls. */
import type { Clock, Logger, Random } from '@cairn/core'
import { Chain, type ChainFolder, LocalExecution, readChainFilePieces } from '@cairn/eth-chain'
import type { Genesis } from '@cairn/eth-codec'
import { Evm } from '@cairn/eth-evm'

export interface ExecuteFolderOptions {
  readonly genesis?: Genesis | undefined
  readonly isArchive: boolean
  readonly clock: Clock
  /** Of the system unless given. */
  readonly random?: Random | undefined
  readonly logger: Logger
}

/** @throws ChainError, StateError */
export function executeFolder(folder: ChainFolder, options: ExecuteFolderOptions): LocalExecution {
  const { genesis, isArchive, clock, random, logger } = options
  const chain = new Chain({
    database: folder.database,
    evm: new Evm({ logger }),
    clock,
    logger,
    isArchive,
    ...(genesis === undefined ? {} : { genesis }),
  })
  return new LocalExecution({
    chain,
    clock,
    logger,
    ...(random === undefined ? {} : { random }),
    recordOf: (address) => folder.sealRecord(address),
    openFile: readChainFilePieces,
  })
}
