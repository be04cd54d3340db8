import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { createSystemClock } from '@cairn/core'
import { type RunningServer, startServer } from '@cairn/server'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { commands } from './commands/all.ts'
import { main } from './main.ts'
import type { Terminal } from './terminal.ts'

const anyPort = { host: '127.0.0.1', port: 0 }

interface Run {
  readonly code: number
  readonly output: string
  readonly errorOutput: string
}

let folder: string
let server: RunningServer

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cairn-cli-'))
  server = await startServer({
    dataDirectory: join(folder, 'data'),
    listen: anyPort,
    tlsListen: anyPort,
    auth: 'off',
  })
})
afterAll(async () => {
  await server.stop()
  await rm(folder, { recursive: true })
})

function collect(stream: PassThrough): () => string {
  const chunks: Buffer[] = []
  stream.on('data', (chunk: Buffer) => chunks.push(chunk))
  return () => Buffer.concat(chunks).toString('utf8')
}

async function run(words: readonly string[], changes: Partial<Terminal> = {}): Promise<Run> {
  const output = new PassThrough()
  const errorOutput = new PassThrough()
  const outputText = collect(output)
  const errorText = collect(errorOutput)
  const terminal: Terminal = {
    input: Readable.from([]),
    output,
    errorOutput,
    isInteractive: false,
    isErrorOutputWatched: false,
    env: { XDG_STATE_HOME: join(folder, 'state') },
    clock: createSystemClock(),
    stopSignal: () => new Promise(() => undefined),
    ...changes,
  }
  const code = await main(words, terminal)
  return { code, output: outputText(), errorOutput: errorText() }
}

/** A command against the server of this file. */
function api(words: readonly string[], changes: Partial<Terminal> = {}): Promise<Run> {
  return run([...words, '--endpoint', server.info.endpoints.api], changes)
}

function sql(ledger: string, ...statements: string[]): Promise<Run> {
  return api(['sql', ...statements.flatMap((statement) => ['-e', statement]), ledger])
}

/** The one journal file below `directory`. */
async function journalFileIn(directory: string): Promise<string> {
  const names = await readdir(directory, { recursive: true })
  const name = names.find((each) => each.endsWith('.journal'))
  if (name === undefined) throw new Error('no journal file')
  return join(directory, name)
}

describe('cairn ledger stats', () => {
  it('shows sizes, documents, how tables were read, and the slowest statements', async () => {
    await api(['ledger', 'create', 'figures'])
    await sql(
      'figures',
      'CREATE TABLE Item',
      'CREATE INDEX ON Item (code)',
      "INSERT INTO Item << {'code': 'a'}, {'code': 'b'} >>",
      "SELECT * FROM Item WHERE code = 'a'",
      'SELECT * FROM Item',
    )
    const { code, output } = await api(['ledger', 'stats', 'figures'])
    expect(code).toBe(0)
    expect(output).toMatch(/Ledger figures: 4 blocks, journal /)
    expect(output).toMatch(/SELECT \* FROM Item WHERE code = /)
    expect(output).not.toMatch(/'a'/)
    const json = JSON.parse((await api(['ledger', 'stats', 'figures', '--json'])).output)
    expect(json).toMatchObject({
      blockCount: 4,
      tables: [{ name: 'Item', isActive: true, indexes: ['code'] }],
      accesses: { 'Item: index code': 1, 'Item: scan': 1 },
    })
    expect((await api(['ledger', 'stats', 'absent'])).code).toBe(1)
    await api(['ledger', 'delete', 'figures'])
  })
})

describe('cairn', () => {
  it('prints its version', async () => {
    expect(await run(['--version'])).toEqual({ code: 0, output: '0.1.0\n', errorOutput: '' })
  })

  it('gives an overview, as a usage error when nothing was asked', async () => {
    const { code, output } = await run(['--help'])
    expect(code).toBe(0)
    for (const { path } of commands) expect(output).toContain(`cairn ${path.join(' ')}`)
    expect((await run([])).code).toBe(2)
  })

  it.each(commands.map(({ path }) => path.join(' ')))(
    'explains %s with an example',
    async (path) => {
      const { code, output } = await run([...path.split(' '), '--help'])
      expect(code).toBe(0)
      expect(output).toMatch(/^Usage: cairn /)
      expect(output).toMatch(/Examples?:\n {2}cairn /)
      expect(Math.max(...output.split('\n').map((line) => line.length))).toBeLessThanOrEqual(110)
    },
  )

  it('answers help COMMAND as COMMAND --help', async () => {
    expect(await run(['help', 'sql'])).toEqual(await run(['sql', '--help']))
  })

  it('suggests the command that was meant, with exit code 2', async () => {
    expect(await run(['legder'])).toEqual({
      code: 2,
      output: '',
      errorOutput:
        'error: There is no command "legder".\n  Did you mean cairn ledger?\n  See: cairn --help\n',
    })
    const { code, errorOutput } = await run(['ledger', 'crate', 'x'])
    expect(code).toBe(2)
    expect(errorOutput).toContain('Did you mean cairn ledger create?')
  })

  it('says how to start a server when none answers', async () => {
    const closed = await startServer({
      dataDirectory: join(folder, 'closed'),
      listen: anyPort,
      tlsListen: anyPort,
      auth: 'off',
    })
    await closed.stop()
    const { api: endpoint } = closed.info.endpoints
    const { code, errorOutput } = await run(['ledger', 'list', '--endpoint', endpoint])
    expect(code).toBe(1)
    expect(errorOutput).toContain(`error: No server answers at ${endpoint}.`)
    expect(errorOutput).toContain('npx cairn up')
  })

  it('says which authority to trust', async () => {
    const { apiTls } = server.info.endpoints
    const refused = await run(['ledger', 'list', '--endpoint', apiTls])
    expect(refused.code).toBe(1)
    expect(refused.errorOutput).toContain('--ca-file DATA/tls/ca.pem')
    const trusting = ['ledger', 'list', '--endpoint', apiTls, '--ca-file', server.info.caFile]
    expect((await run(trusting)).code).toBe(0)
  })
})

describe('a server that asks for signatures', () => {
  it('is told of the keys in the environment, and who has none is told where they are', async () => {
    const signing = await startServer({
      dataDirectory: join(folder, 'signing'),
      listen: anyPort,
      tlsListen: anyPort,
      auth: 'sigv4',
    })
    const words = ['ledger', 'list', '--json', '--endpoint', signing.info.endpoints.api]
    const refused = await run(words)
    expect(refused.code).toBe(1)
    expect(refused.errorOutput).toContain('Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY')

    const accessKeyId = signing.accessKeyFile?.accessKeyIds[0] ?? ''
    const secret = signing.accessKeyFile?.lookup(accessKeyId)?.secretAccessKey
    const env = { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secret }
    expect(await run(words, { env })).toEqual({ code: 0, output: '[]\n', errorOutput: '' })
    const wrong = await run(words, { env: { ...env, AWS_SECRET_ACCESS_KEY: 'x' } })
    expect(wrong.errorOutput).toContain('InvalidSignatureException')
    await signing.stop()
  })
})

describe('cairn ledger', () => {
  it('creates, lists, describes and deletes', async () => {
    expect((await api(['ledger', 'create', 'kept', '--protect', '--tag', 'env=test'])).output).toBe(
      'Created ledger kept.\nTry next: npx cairn sql kept\n',
    )
    const list = await api(['ledger', 'list'])
    expect(list.output).toMatch(/^name +state +created\n-+ {2}-+ {2}-+\nkept +ACTIVE {2}\d{4}-/)
    const details = JSON.parse((await api(['ledger', 'describe', 'kept', '--json'])).output)
    expect(details).toMatchObject({
      name: 'kept',
      state: 'ACTIVE',
      permissionsMode: 'ALLOW_ALL',
      isDeletionProtected: true,
      arn: 'arn:aws:qldb:us-east-1:000000000000:ledger/kept',
    })

    const refused = await api(['ledger', 'delete', 'kept'])
    expect(refused.code).toBe(1)
    expect(refused.errorOutput).toContain('cairn ledger delete --unprotect')
    expect((await api(['ledger', 'delete', 'kept', '--unprotect'])).output).toBe(
      'Deleted ledger kept.\n',
    )
    const gone = await api(['ledger', 'describe', 'kept'])
    expect(gone.code).toBe(1)
    expect(gone.errorOutput).toContain('ResourceNotFoundException')
  })

  it('refuses what is no tag', async () => {
    expect((await api(['ledger', 'create', 'x', '--tag', 'env'])).code).toBe(2)
  })
})

describe('cairn sql', () => {
  beforeAll(async () => {
    await api(['ledger', 'create', 'people'])
    await sql(
      'people',
      'CREATE TABLE Person',
      "INSERT INTO Person VALUE {'name': 'Ada', 'born': 1815}",
    )
  })
  afterAll(async () => {
    await api(['ledger', 'delete', 'people'])
  })

  it('prints a table', async () => {
    expect(await sql('people', 'SELECT name, born FROM Person')).toEqual({
      code: 0,
      output: 'name  born\n----  ----\nAda   1815\n(1 row)\n',
      errorOutput: '',
    })
  })

  it('prints JSON lines and Ion lines', async () => {
    const words = ['sql', '-e', 'SELECT born FROM Person', 'people']
    expect((await api([...words, '--json'])).output).toBe('{"born":1815}\n')
    expect((await api([...words, '--format', 'ion'])).output).toBe('{born:1815}\n')
  })

  it('reads statements from standard input', async () => {
    const text = '-- two of them\nSELECT born\nFROM Person;\nSELECT VALUE name FROM Person\n'
    const { code, output } = await api(['sql', 'people', '--json'], {
      input: Readable.from([text]),
    })
    expect({ code, output }).toEqual({ code: 0, output: '{"born":1815}\n"Ada"\n' })
  })

  it('stops at the first statement that fails', async () => {
    const { code, output, errorOutput } = await sql('people', 'SELEC x', 'SELECT born FROM Person')
    expect({ code, output }).toEqual({ code: 1, output: '' })
    expect(errorOutput).toContain('BadRequestException')
    expect(errorOutput).toContain('in: SELEC x')
  })

  it('keeps a transaction that is committed, and nothing of one that is not', async () => {
    const insert = "INSERT INTO Person VALUE {'name': 'Bob'}"
    const left = await sql('people', 'START TRANSACTION', insert)
    expect(left.code).toBe(1)
    expect(left.errorOutput).toContain('The last transaction was not committed')
    const aborted = await sql('people', 'START TRANSACTION', insert, 'ABORT')
    expect(aborted.code).toBe(0)
    const count = 'SELECT COUNT(*) AS n FROM Person'
    expect((await sql('people', count)).output).toBe('n\n-\n1\n(1 row)\n')
    expect((await sql('people', 'BEGIN', insert, 'COMMIT')).output).toContain('Committed.')
    expect((await sql('people', count)).output).toBe('n\n-\n2\n(1 row)\n')
    await sql('people', "DELETE FROM Person WHERE name = 'Bob'")
  })

  it('says that there is no such ledger', async () => {
    const { code, errorOutput } = await sql('nobody', 'SELECT 1 FROM Person')
    expect(code).toBe(1)
    expect(errorOutput).toContain('nobody')
  })

  it('is a shell at a terminal: several lines, backslash commands, errors, history', async () => {
    const input = new PassThrough()
    const lines = [
      'SELECT name',
      'FROM Person;',
      '\\d',
      'SELEC;',
      '\\x',
      'START TRANSACTION;',
      'ABORT;',
      '\\q',
    ]
    input.end(`${lines.join('\n')}\n`)
    const { code, output, errorOutput } = await api(['sql', 'people'], {
      input,
      isInteractive: true,
    })
    expect(code).toBe(0)
    expect(output).toContain('people=> ')
    expect(output).toContain('people-> ')
    expect(output).toContain('people*> ')
    expect(output).toMatch(/name\n----\nAda\n\(1 row, \d+ ms\)/)
    expect(output).toMatch(/Person +\w{22} +ACTIVE/)
    expect(output).toContain('There is no \\x')
    expect(output).toContain('Aborted.')
    expect(errorOutput).toContain('BadRequestException')
    const history = await readFile(join(folder, 'state', 'cairn', 'sql-history'), 'utf8')
    expect(history).toContain('SELECT name\nFROM Person;\n')
  })
})

describe('cairn verify', () => {
  beforeAll(async () => {
    await api(['ledger', 'create', 'proven'])
    await sql('proven', 'CREATE TABLE T', "INSERT INTO T VALUE {'a': 1}", 'UPDATE T SET a = 2')
  })
  afterAll(async () => {
    await api(['ledger', 'delete', 'proven'])
  })

  it('checks every block', async () => {
    const { code, output } = await api(['verify', 'ledger', 'proven', '--json'])
    expect(code).toBe(0)
    expect(JSON.parse(output)).toMatchObject({ isVerified: true, blockCount: 4, revisionCount: 2 })
  })

  it('keeps a digest, and checks what came before and after it', async () => {
    const file = join(folder, 'digest.json')
    const saved = await api(['verify', 'digest', '--save', file, 'proven'])
    expect(saved.output).toContain(`Saved to ${file}.`)
    const again = await api(['verify', 'digest', '--save', file, 'proven'])
    expect(again.code).toBe(1)
    expect(again.errorOutput).toContain('exists already')

    await sql('proven', 'UPDATE T SET a = 3')
    for (const words of [
      ['digest', 'proven'],
      ['ledger', 'proven'],
      ['block', 'proven', '2'],
    ]) {
      const { code, output } = await api(['verify', ...words, '--digest', file])
      expect({ code, output }).toMatchObject({
        code: 0,
        output: expect.stringMatching(/^Verified/),
      })
    }
    // The block came after the digest, which says nothing about it.
    expect((await api(['verify', 'block', 'proven', '4', '--digest', file])).code).toBe(1)
  })

  it('notices a digest of another history', async () => {
    const file = join(folder, 'digest.json')
    const content = JSON.parse(await readFile(file, 'utf8'))
    const forged = join(folder, 'forged.json')
    const digest = Buffer.from(content.Digest, 'base64')
    digest[0] = (digest[0] ?? 0) ^ 1
    await writeFile(forged, JSON.stringify({ ...content, Digest: digest.toString('base64') }))
    for (const words of [
      ['digest', 'proven'],
      ['ledger', 'proven'],
      ['block', 'proven', '2'],
    ]) {
      const { code, output } = await api(['verify', ...words, '--digest', forged])
      expect(code).toBe(1)
      expect(output).toContain('NOT VERIFIED (QLDB_DIGEST_MISMATCH)')
    }
  })

  it('checks a revision', async () => {
    const statement = 'SELECT metadata.id AS id, blockAddress.sequenceNo AS no FROM _ql_committed_T'
    const { output } = await api(['sql', '--json', '-e', statement, 'proven'])
    const { id, no } = JSON.parse(output)
    const found = await api(['verify', 'revision', 'proven', `${no}`, id, '--json'])
    expect(JSON.parse(found.output)).toMatchObject({
      isVerified: true,
      grade: 'qldb-strict',
      documentId: id,
      version: 2,
    })
    expect((await api(['verify', 'revision', 'proven', '0', id])).code).toBe(1)
  })

  it('checks a data folder without a server, and names a changed file', async () => {
    const directory = join(folder, 'offline')
    const other = await startServer({
      dataDirectory: directory,
      listen: anyPort,
      tlsListen: anyPort,
      auth: 'off',
    })
    const endpoint = ['--endpoint', other.info.endpoints.api]
    const digest = join(folder, 'offline-digest.json')
    await run(['ledger', 'create', 'kept', ...endpoint])
    const insert = "INSERT INTO T VALUE {'amount': 4711}"
    await run(['sql', '-e', 'CREATE TABLE T', '-e', insert, 'kept', ...endpoint])
    await run(['verify', 'digest', '--save', digest, 'kept', ...endpoint])
    const idQuery = ['sql', '-e', 'SELECT VALUE id FROM T BY id', '--format', 'json']
    const documentId = JSON.parse((await run([...idQuery, 'kept', ...endpoint])).output.trim())
    // While the server runs, and after it.
    const words = ['verify', 'ledger', '--data-dir', directory]
    expect((await run(words)).code).toBe(0)
    await other.stop()
    const whole = await run([...words, '--digest', digest, 'kept'])
    expect(whole).toMatchObject({
      code: 0,
      output: expect.stringMatching(/^Verified: ledger kept/),
    })
    expect(whole.output).toContain('offline-digest.json again')
    expect((await run([...words, 'nobody'])).code).toBe(1)
    expect((await run([...words, '--digest', digest])).code).toBe(2)

    const taken = join(folder, 'taken-offline.json')
    const take = ['verify', 'digest', '--data-dir', directory, '--save', taken, 'kept']
    expect((await run(take)).output).toContain(`Saved to ${taken}.`)
    expect(JSON.parse(await readFile(taken, 'utf8')).Digest).toBe(
      JSON.parse(await readFile(digest, 'utf8')).Digest,
    )

    const offline = ['--data-dir', directory, 'kept']
    const block = await run(['verify', 'block', '--digest', digest, ...offline, '2'])
    expect(block).toMatchObject({
      code: 0,
      output: expect.stringContaining('block 2 with 1 revision'),
    })
    const shown = JSON.parse((await run(['verify', 'block', '--json', ...offline, '2'])).output)
    expect(shown).toMatchObject({ isVerified: true, grade: 'qldb-strict', revisionCount: 1 })
    const revision = await run(['verify', 'revision', ...offline, '2', documentId])
    expect(revision.output).toContain('(data) lies below the digest of the folder (qldb-strict)')
    expect((await run(['verify', 'block', ...offline, '9'])).code).toBe(1)

    const journal = await journalFileIn(directory)
    const bytes = await readFile(journal)
    const at = bytes.indexOf('amount')
    bytes[at] = (bytes[at] ?? 0) ^ 1
    await writeFile(journal, bytes)
    const changed = await run(words)
    expect(changed.code).toBe(1)
    expect(changed.output).toContain('NOT VERIFIED: ledger kept')
    expect(changed.output).toContain('.journal')
    const [report] = JSON.parse((await run([...words, '--json'])).output)
    expect(report).toMatchObject({ isVerified: false, ledger: 'kept' })
  })

  it('says that a folder holds no ledgers', async () => {
    const { code, errorOutput } = await run(['verify', 'ledger', '--data-dir', join(folder, 'no')])
    expect(code).toBe(1)
    expect(errorOutput).toContain('There are no ledgers in')
  })

  it('takes only numbers for blocks, and only digest files for digests', async () => {
    expect((await api(['verify', 'block', 'proven', 'x'])).code).toBe(2)
    const { code, errorOutput } = await api([
      'verify',
      'block',
      'proven',
      '1',
      '--digest',
      server.info.caFile,
    ])
    expect(code).toBe(1)
    expect(errorOutput).toContain('cairn verify digest --save FILE')
  })
})
