import { describe, expect, it } from 'vitest'
import { ServerFixture } from './testing/server-fixture.ts'

const created = { Name: 'L', PermissionsMode: 'ALLOW_ALL' }
const arn = 'arn:aws:qldb:us-east-1:000000000000:ledger/L'
const tagsPath = `/tags/${encodeURIComponent(arn)}`

async function withLedger(members: object = {}) {
  const fixture = new ServerFixture()
  const { status } = await fixture.request('POST', '/ledgers', { ...created, ...members })
  expect(status).toBe(200)
  return fixture
}

describe('CreateLedger', () => {
  it('answers as the API does, with the time in epoch seconds', async () => {
    const fixture = new ServerFixture({ region: 'eu-west-1', accountId: '123456789012' })
    fixture.clock.advance(123)
    const answer = await fixture.request('POST', '/ledgers', { ...created, KmsKey: 'alias/k' })
    expect(answer.status).toBe(200)
    expect(answer.headers).toMatchObject({
      'content-type': 'application/json',
      'x-amzn-RequestId': expect.any(String),
    })
    expect(answer.body).toEqual({
      Name: 'L',
      Arn: 'arn:aws:qldb:eu-west-1:123456789012:ledger/L',
      State: 'CREATING',
      CreationDateTime: 1704067200.123,
      PermissionsMode: 'ALLOW_ALL',
      DeletionProtection: true,
      KmsKeyArn: 'arn:aws:kms:eu-west-1:123456789012:alias/k',
    })
  })

  it.each(['L', 'a-b', '0x', 'a'.repeat(32), 'A-1-b'])('takes the name %s', async (Name) => {
    const fixture = new ServerFixture()
    expect((await fixture.request('POST', '/ledgers', { ...created, Name })).status).toBe(200)
  })

  it.each([
    ['Name', { Name: undefined }],
    ['Name', { Name: 7 }],
    ['Name', { Name: '' }],
    ['Name', { Name: '12' }],
    ['Name', { Name: '-a' }],
    ['Name', { Name: 'a-' }],
    ['Name', { Name: 'a--b' }],
    ['Name', { Name: 'a_b' }],
    ['Name', { Name: 'a'.repeat(33) }],
    ['PermissionsMode', { PermissionsMode: undefined }],
    ['PermissionsMode', { PermissionsMode: 'allow_all' }],
    ['DeletionProtection', { DeletionProtection: 'true' }],
    ['KmsKey', { KmsKey: '' }],
    ['Tags', { Tags: [] }],
    ['Tags', { Tags: { '': 'x' } }],
    ['Tags', { Tags: { 'aws:x': 'x' } }],
    ['Tags', { Tags: { x: 7 } }],
    ['Tags', { Tags: { x: 'y'.repeat(257) } }],
    ['Tags', { Tags: Object.fromEntries(Array.from({ length: 51 }, (_, i) => [`k${i}`, ''])) }],
  ])('names %s when it is wrong: %j', async (name, members) => {
    const fixture = new ServerFixture()
    const answer = await fixture.request('POST', '/ledgers', { ...created, ...members })
    expect(answer.status).toBe(400)
    expect(answer.headers['x-amzn-ErrorType']).toBe('InvalidParameterException')
    expect(answer.body).toEqual({ Message: expect.any(String), ParameterName: name })
  })

  it('refuses a name twice, and more ledgers than there may be', async () => {
    const fixture = await withLedger()
    const twice = await fixture.request('POST', '/ledgers', created)
    expect(twice.status).toBe(409)
    expect(twice.headers['x-amzn-ErrorType']).toBe('ResourceAlreadyExistsException')
    expect(twice.body).toMatchObject({ ResourceType: 'Ledger', ResourceName: 'L' })
    fixture.host.ledgerCountMax = 1
    const more = await fixture.request('POST', '/ledgers', { ...created, Name: 'M' })
    expect(more.status).toBe(400)
    expect(more.headers['x-amzn-ErrorType']).toBe('LimitExceededException')
  })
})

describe('ledgers', () => {
  const description = {
    Name: 'L',
    Arn: arn,
    State: 'ACTIVE',
    CreationDateTime: 1704067200,
    DeletionProtection: true,
    EncryptionDescription: { KmsKeyArn: 'AWS_OWNED_KMS_KEY', EncryptionStatus: 'ENABLED' },
  }

  it('describes and updates', async () => {
    const fixture = await withLedger()
    const described = await fixture.request('GET', '/ledgers/L')
    expect(described.body).toEqual({ ...description, PermissionsMode: 'ALLOW_ALL' })

    const updated = await fixture.request('PATCH', '/ledgers/L', {
      DeletionProtection: false,
      KmsKey: 'abc',
    })
    expect(updated.body).toEqual({
      ...description,
      DeletionProtection: false,
      EncryptionDescription: {
        KmsKeyArn: 'arn:aws:kms:us-east-1:000000000000:key/abc',
        EncryptionStatus: 'ENABLED',
      },
    })
    const mode = await fixture.request('PATCH', '/ledgers/L/permissions-mode', {
      PermissionsMode: 'STANDARD',
    })
    expect(mode.body).toEqual({ Name: 'L', Arn: arn, PermissionsMode: 'STANDARD' })
  })

  it('deletes an unprotected ledger, and its sessions with it', async () => {
    const fixture = await withLedger()
    const token = await fixture.startSession()
    const refused = await fixture.request('DELETE', '/ledgers/L')
    expect(refused.status).toBe(412)
    expect(refused.headers['x-amzn-ErrorType']).toBe('ResourcePreconditionNotMetException')
    expect(refused.body).toMatchObject({ ResourceType: 'Ledger', ResourceName: 'L' })

    await fixture.request('PATCH', '/ledgers/L', { DeletionProtection: false })
    const deleted = await fixture.request('DELETE', '/ledgers/L')
    expect([deleted.status, deleted.text]).toEqual([200, ''])
    const gone = await fixture.request('GET', '/ledgers/L')
    expect(gone.status).toBe(404)
    expect(gone.headers['x-amzn-ErrorType']).toBe('ResourceNotFoundException')
    const session = await fixture.send({ SessionToken: token, StartTransaction: {} })
    expect(session.body.Message).toBe('No such session')
  })

  it('lists in pages', async () => {
    const fixture = new ServerFixture()
    for (let i = 0; i < 101; i++) {
      await fixture.host.createLedger({ name: `l${String(i).padStart(3, '0')}` })
    }
    const all = await fixture.request('GET', '/ledgers')
    expect(all.body.Ledgers).toHaveLength(100)
    expect(all.body.Ledgers[0]).toEqual({
      Name: 'l000',
      State: 'ACTIVE',
      CreationDateTime: 1704067200,
    })
    const rest = await fixture.request('GET', `/ledgers?next_token=${all.body.NextToken}`)
    expect(rest.body).toEqual({ Ledgers: [expect.objectContaining({ Name: 'l100' })] })

    const names: string[] = []
    let token = ''
    do {
      const page = await fixture.request('GET', `/ledgers?max_results=40&next_token=${token}`)
      names.push(...page.body.Ledgers.map(({ Name }: { Name: string }) => Name))
      token = page.body.NextToken ?? ''
    } while (token !== '')
    expect(new Set(names).size).toBe(101)
  })

  it.each([
    ['MaxResults', 'max_results=0'],
    ['MaxResults', 'max_results=101'],
    ['MaxResults', 'max_results=x'],
    ['MaxResults', 'max_results=-1'],
    ['NextToken', 'next_token=%20'],
    ['NextToken', 'next_token=_w'],
  ])('refuses a wrong %s: %s', async (name, query) => {
    const answer = await new ServerFixture().request('GET', `/ledgers?${query}`)
    expect(answer.headers['x-amzn-ErrorType']).toBe('InvalidParameterException')
    expect(answer.body.ParameterName).toBe(name)
  })
})

describe('proofs', () => {
  const tip = '{strandId:"sssssssssssssssssssss0",sequenceNo:5}'

  it('gives the digest', async () => {
    const fixture = await withLedger()
    const { body } = await fixture.request('POST', '/ledgers/L/digest')
    expect(body).toEqual({
      Digest: Buffer.alloc(32, 7).toString('base64'),
      DigestTipAddress: { IonText: tip },
    })
  })

  it('gives blocks and revisions, with a proof when a tip is named', async () => {
    const fixture = await withLedger()
    const BlockAddress = { IonText: tip }
    const block = await fixture.request('POST', '/ledgers/L/block', { BlockAddress })
    expect(block.body).toEqual({ Block: { IonText: '5' } })
    const proven = await fixture.request('POST', '/ledgers/L/revision', {
      BlockAddress,
      DocumentId: 'D35qd3e2prnJYmtKW6kok1',
      DigestTipAddress: BlockAddress,
    })
    expect(proven.body).toEqual({
      Revision: { IonText: '5' },
      Proof: { IonText: `[{{${Buffer.alloc(32, 9).toString('base64')}}}]` },
    })
  })

  it.each([
    "{ sequenceNo : 0x3, strandId : '''s''' '''ss''' }",
    '$ion_1_0 {\'strandId\': "sss", sequenceNo: 3 /* third */}',
    '{"strandId":"s" ,sequenceNo:0b1_1,more:{}}',
  ])('reads the address %s', async (IonText) => {
    const fixture = await withLedger()
    const answer = await fixture.request('POST', '/ledgers/L/block', { BlockAddress: { IonText } })
    expect(answer.body).toEqual({ Block: { IonText: '3' } })
  })

  it.each([
    undefined,
    null,
    {},
    'text',
    { IonText: 7 },
    { IonText: '' },
    { IonText: '{' },
    { IonText: '[]' },
    { IonText: '{strandId:7,sequenceNo:1}' },
    { IonText: '{strandId:"s",sequenceNo:-1}' },
    { IonText: '{strandId:"s",sequenceNo:1.0}' },
    { IonText: '{strandId:"s",sequenceNo:null.int}' },
    { IonText: '{strandId:"s",sequenceNo:99999999999999999999}' },
    { IonText: '{strandId:"s",sequenceNo:1} 2' },
    { IonText: '{strandId:"s",sequenceNo:6}' },
  ])('refuses the address %j', async (BlockAddress) => {
    const fixture = await withLedger()
    const answer = await fixture.request('POST', '/ledgers/L/block', { BlockAddress })
    expect(answer.status).toBe(400)
    expect(answer.headers['x-amzn-ErrorType']).toBe('InvalidParameterException')
    expect(answer.body.ParameterName).toBe('BlockAddress')
  })

  it('names the parameter that is wrong', async () => {
    const fixture = await withLedger()
    const BlockAddress = { IonText: tip }
    const parameterOf = async (path: string, body: object) =>
      (await fixture.request('POST', `/ledgers/L/${path}`, body)).body.ParameterName
    expect(await parameterOf('block', { BlockAddress, DigestTipAddress: {} })).toBe(
      'DigestTipAddress',
    )
    expect(await parameterOf('revision', { BlockAddress })).toBe('DocumentId')
    expect(await parameterOf('revision', { BlockAddress, DocumentId: 'absent' })).toBe('DocumentId')
  })

  it.each(['digest', 'block', 'revision'])(
    'knows no ledger that is not there: %s',
    async (path) => {
      const answer = await new ServerFixture().request('POST', `/ledgers/none/${path}`, {})
      expect(answer.status).toBe(404)
      expect(answer.body).toMatchObject({ ResourceType: 'Ledger', ResourceName: 'none' })
    },
  )
})

describe('tags', () => {
  it('adds, overwrites, lists and removes', async () => {
    const fixture = await withLedger({ Tags: { Domain: 'Test', IsTest: 'true' } })
    const tagged = await fixture.request('POST', tagsPath, { Tags: { Domain: 'Prod', a: null } })
    expect([tagged.status, tagged.text]).toEqual([200, ''])
    expect((await fixture.request('GET', tagsPath)).body).toEqual({
      Tags: { Domain: 'Prod', IsTest: 'true', a: '' },
    })
    const untagged = await fixture.request('DELETE', `${tagsPath}?tagKeys=Domain&tagKeys=a`)
    expect([untagged.status, untagged.text]).toEqual([200, ''])
    expect((await fixture.request('GET', tagsPath)).body).toEqual({ Tags: { IsTest: 'true' } })
  })

  it('loses no change of two at once', async () => {
    const fixture = await withLedger()
    const names = Array.from({ length: 50 }, (_, i) => `k${i}`)
    await Promise.all(
      names.map((name) => fixture.request('POST', tagsPath, { Tags: { [name]: '' } })),
    )
    expect(Object.keys((await fixture.request('GET', tagsPath)).body.Tags)).toHaveLength(50)
    const more = await fixture.request('POST', tagsPath, { Tags: { one: '' } })
    expect(more.body.ParameterName).toBe('Tags')
  })

  it('asks for keys, tags and an ARN', async () => {
    const fixture = await withLedger()
    expect((await fixture.request('DELETE', tagsPath)).body.ParameterName).toBe('TagKeys')
    expect((await fixture.request('POST', tagsPath, {})).body.ParameterName).toBe('Tags')
    expect((await fixture.request('GET', '/tags/L')).body.ParameterName).toBe('ResourceArn')
    const stream = encodeURIComponent('arn:aws:qldb:us-east-1:000000000000:stream/L/x')
    expect((await fixture.request('GET', `/tags/${stream}`)).status).toBe(404)
    const none = encodeURIComponent('arn:aws:qldb:us-east-1:000000000000:ledger/none')
    expect((await fixture.request('GET', `/tags/${none}`)).body.ResourceName).toBe('none')
  })
})

describe('routes', () => {
  it.each([
    ['POST', '/ledgers/L/journal-s3-exports', 'ExportJournalToS3'],
    ['GET', '/ledgers/L/journal-s3-exports', 'ListJournalS3ExportsForLedger'],
    ['GET', '/ledgers/L/journal-s3-exports/e', 'DescribeJournalS3Export'],
    ['GET', '/journal-s3-exports?max_results=1', 'ListJournalS3Exports'],
    ['POST', '/ledgers/L/journal-kinesis-streams', 'StreamJournalToKinesis'],
    ['GET', '/ledgers/L/journal-kinesis-streams', 'ListJournalKinesisStreamsForLedger'],
    ['GET', '/ledgers/L/journal-kinesis-streams/s', 'DescribeJournalKinesisStream'],
    ['DELETE', '/ledgers/L/journal-kinesis-streams/s', 'CancelJournalKinesisStream'],
  ])('says that %s %s is not available', async (method, path, operation) => {
    const answer = await (await withLedger()).request(method, path)
    expect(answer.status).toBe(400)
    expect(answer.headers['x-amzn-ErrorType']).toBe('UnsupportedOperationException')
    expect(answer.body).toEqual({
      Message: `${operation} is not available in this version of Cairn`,
    })
  })

  it.each([
    ['POST', '/'],
    ['GET', '/'],
    ['PUT', '/ledgers/L'],
    ['GET', '/ledgers/L/digest'],
    ['GET', '/favicon.ico'],
    ['OPTIONS', '*'],
  ])('knows no %s %s', async (method, path) => {
    const answer = await new ServerFixture().request(method, path)
    expect(answer.status).toBe(404)
    expect(answer.headers['x-amzn-ErrorType']).toBe('UnknownOperationException')
    expect(answer.headers['x-amzn-RequestId']).toBeDefined()
  })

  it('calls a body that is no JSON object, and a path that is no UTF-8, serialization errors', async () => {
    const fixture = new ServerFixture()
    for (const answer of [
      await fixture.request('POST', '/ledgers', '{"Name":'),
      await fixture.request('GET', '/ledgers/%ff'),
    ]) {
      expect(answer.status).toBe(400)
      expect(answer.headers['x-amzn-ErrorType']).toBe('SerializationException')
    }
  })

  it('takes any content type', async () => {
    const fixture = new ServerFixture()
    const headers = { 'content-type': 'text/plain' }
    expect((await fixture.request('POST', '/ledgers', created, headers)).status).toBe(200)
  })
})

describe('tags of tables', () => {
  const pathOf = (tableId: string) => `/tags/${encodeURIComponent(`${arn}/table/${tableId}`)}`

  it('lists, adds, overwrites and removes', async () => {
    const fixture = await withLedger()
    fixture.host.tables.set('T1', { k: 'v' })
    fixture.host.tables.set('T2', {})
    const path = pathOf('T1')
    expect((await fixture.request('GET', path)).body).toEqual({ Tags: { k: 'v' } })
    const added = await fixture.request('POST', path, { Tags: { k: 'w', l: '' } })
    expect([added.status, added.text]).toEqual([200, ''])
    expect((await fixture.request('GET', path)).body).toEqual({ Tags: { k: 'w', l: '' } })
    await fixture.request('DELETE', `${path}?tagKeys=k`)
    expect((await fixture.request('GET', path)).body).toEqual({ Tags: { l: '' } })
    expect((await fixture.request('GET', pathOf('T2'))).body).toEqual({ Tags: {} })
  })

  it('has no more tags than a resource may have', async () => {
    const fixture = await withLedger()
    fixture.host.tables.set('T1', { k: 'v' })
    const Tags = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`k${i}`, '']))
    const refused = await fixture.request('POST', pathOf('T1'), { Tags })
    expect(refused.body).toMatchObject({ ParameterName: 'Tags' })
    expect((await fixture.request('GET', pathOf('T1'))).body).toEqual({ Tags: { k: 'v' } })
  })

  it.each([
    ['GET', ''],
    ['POST', ''],
    ['DELETE', '?tagKeys=k'],
  ])('does not find a table that is not there: %s', async (method, query) => {
    const fixture = await withLedger()
    const body = method === 'POST' ? { Tags: {} } : undefined
    const refused = await fixture.request(method, `${pathOf('T3')}${query}`, body)
    expect(refused.status).toBe(404)
    expect(refused.headers['x-amzn-ErrorType']).toBe('ResourceNotFoundException')
    expect(refused.body).toMatchObject({ ResourceType: 'Table', ResourceName: 'T3' })
  })
})
