/** AWS's vehicle registration sample from start to end over https, pointed here by environment variables alone. */
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { startServer } from './start-server.ts'

const anyPort = { host: '127.0.0.1', port: 0 }
const stepCount = 22
const root = fileURLToPath(new URL('../../..', import.meta.url))

it('runs the 22 steps of the sample in a process of its own', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'cairn-sample-'))
  const logged: unknown[] = []
  const server = await startServer({
    dataDirectory: join(folder, 'data'),
    listen: anyPort,
    tlsListen: anyPort,
    auth: 'sigv4',
    logger: {
      log: (level, message, fields) => {
        if (level === 'error') logged.push([message, fields])
      },
    },
  })
  const accessKeyId = server.accessKeyFile?.accessKeyIds[0] ?? ''
  const script = fileURLToPath(new URL('./testing/sample-sequence.ts', import.meta.url))
  try {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--import', 'tsx', '--no-deprecation', script],
      {
        cwd: root,
        env: {
          PATH: process.env['PATH'],
          HOME: folder,
          AWS_ENDPOINT_URL: server.info.endpoints.apiTls,
          AWS_REGION: 'us-east-1',
          AWS_ACCESS_KEY_ID: accessKeyId,
          AWS_SECRET_ACCESS_KEY: server.accessKeyFile?.lookup(accessKeyId)?.secretAccessKey,
          AWS_EC2_METADATA_DISABLED: 'true',
          NODE_EXTRA_CA_CERTS: server.info.caFile,
        },
      },
    )
    expect(stdout.trim().split('\n')).toHaveLength(stepCount)
    expect(logged).toEqual([])
  } finally {
    await server.stop()
    await rm(folder, { recursive: true })
  }
})
