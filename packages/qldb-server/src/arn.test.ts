import { describe, expect, it } from 'vitest'
import { kmsKeyArn, ledgerArn, ledgerNameOfArn, tableArn, tableOfArn } from './arn.ts'

const settings = { region: 'eu-west-1', accountId: '123456789012' }

describe('ARNs', () => {
  it('finds the ledger of an ARN that any client may have composed', () => {
    expect(ledgerNameOfArn(ledgerArn(settings, 'L-1'))).toBe('L-1')
    expect(ledgerNameOfArn('arn:aws-cn:qldb:::ledger/L')).toBe('L')
    for (const arn of ['', 'L', 'arn:aws:s3:::ledger/L', 'arn:aws:qldb:r:a:ledger/L/table/t']) {
      expect(ledgerNameOfArn(arn)).toBeUndefined()
    }
  })

  it('finds the table of an ARN', () => {
    const table = { ledgerName: 'L', tableId: 'D35qd3e2prnJYmtKW6kok1' }
    expect(tableOfArn(tableArn(settings, 'L', table.tableId))).toEqual(table)
    expect(tableOfArn(`arn:aws:qldb:::ledger/L/table/${table.tableId}`)).toEqual(table)
    for (const rest of ['ledger/L', 'ledger/L/table/', 'ledger/L/table/*', 'ledger/L/table/t/u']) {
      expect(tableOfArn(`arn:aws:qldb:r:a:${rest}`)).toBeUndefined()
    }
  })

  it('makes ARNs of KMS keys that are none', () => {
    const arns = ['AWS_OWNED_KMS_KEY', 'arn:aws:kms:r:a:key/k', 'k', 'alias/a'].map((key) =>
      kmsKeyArn(settings, key),
    )
    expect(arns).toEqual([
      'AWS_OWNED_KMS_KEY',
      'arn:aws:kms:r:a:key/k',
      'arn:aws:kms:eu-west-1:123456789012:key/k',
      'arn:aws:kms:eu-west-1:123456789012:alias/a',
    ])
  })
})
