/** A ledger to be thrown away, made anew at each run of an example. */
import {
  CreateLedgerCommand,
  DeleteLedgerCommand,
  DescribeLedgerCommand,
  ListTagsForResourceCommand,
  ResourceNotFoundException,
} from '@aws-sdk/client-qldb'
import type { Office } from './office.ts'

/**
 * @param example Marks the ledger as ours by a tag: a second run removes the first one's ledger, and never one that
 *   somebody else made.
 */
export async function makeFreshLedger(office: Office, example: string): Promise<void> {
  const { control, ledgerName } = office
  await removeLedgerOfEarlierRun(office, example)
  await control.send(
    new CreateLedgerCommand({
      Name: ledgerName,
      PermissionsMode: 'ALLOW_ALL',
      // On by default; a ledger made to be thrown away does without.
      DeletionProtection: false,
      Tags: { example },
    }),
  )
}

async function removeLedgerOfEarlierRun(
  { control, ledgerName }: Office,
  example: string,
): Promise<void> {
  try {
    const ledger = await control.send(new DescribeLedgerCommand({ Name: ledgerName }))
    const command = new ListTagsForResourceCommand({ ResourceArn: ledger.Arn })
    const { Tags: found } = await control.send(command)
    if (found?.['example'] !== example) {
      throw new Error(`There is a ledger ${ledgerName} that this example did not make. It stays.`)
    }
    await control.send(new DeleteLedgerCommand({ Name: ledgerName }))
  } catch (error) {
    if (!(error instanceof ResourceNotFoundException)) throw error
  }
}
