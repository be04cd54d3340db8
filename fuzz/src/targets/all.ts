/** The targets by name, in the order in which `--target=all` runs them. */
import type { Target } from '../target.ts'
import { awsJsonTarget } from './aws-json.ts'
import { blockRecordTarget } from './block-record.ts'
import { controlApiTarget } from './control-api.ts'
import { ethereumChainFileTarget } from './ethereum-chain-file.ts'
import { ethereumGenesisTarget } from './ethereum-genesis.ts'
import { ethereumKeystoreTarget } from './ethereum-keystore.ts'
import { ethereumPoolTarget } from './ethereum-pool.ts'
import { ethereumRecordsTarget } from './ethereum-records.ts'
import { ethereumRlpTarget } from './ethereum-rlp.ts'
import { ethereumRpcTarget } from './ethereum-rpc.ts'
import { evmTarget } from './evm.ts'
import { evmBlockTarget } from './evm-block.ts'
import { httpTarget } from './http.ts'
import { ionBinaryTarget } from './ion-binary.ts'
import { ionHashTarget } from './ion-hash.ts'
import { ionTextTarget } from './ion-text.ts'
import { journalTarget } from './journal.ts'
import { partiqlExecuteTarget } from './partiql-execute.ts'
import { partiqlParseTarget } from './partiql-parse.ts'
import { puppethTarget } from './puppeth.ts'
import { sessionApiTarget } from './session-api.ts'
import { sigv4Target } from './sigv4.ts'

export const targets: readonly Target[] = [
  ionBinaryTarget,
  ionTextTarget,
  ionHashTarget,
  partiqlParseTarget,
  partiqlExecuteTarget,
  awsJsonTarget,
  sigv4Target,
  httpTarget,
  sessionApiTarget,
  controlApiTarget,
  journalTarget,
  blockRecordTarget,
  ethereumRlpTarget,
  ethereumRecordsTarget,
  ethereumRpcTarget,
  ethereumPoolTarget,
  ethereumGenesisTarget,
  ethereumKeystoreTarget,
  ethereumChainFileTarget,
  puppethTarget,
  evmTarget,
  evmBlockTarget,
]
