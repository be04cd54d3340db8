/** Target `control-api`: methods, addresses and bodies of the control API over the real engine. */
import type { SeededRandom } from '@cairn/testing'
import { type ApiHost, checkAnswer, openApiHost } from '../api-host.ts'
import { jsonTokens, randomJson } from '../json-generator.ts'
import { inputOfText, type Target } from '../target.ts'

const requestCountMax = 2000

const address = '{"BlockAddress":{"IonText":"{strandId:\\"@\\",sequenceNo:0}"}}'
const requests = [
  'POST /ledgers\n{"Name":"M","PermissionsMode":"ALLOW_ALL","DeletionProtection":false,"Tags":{"a":"b"}}',
  'GET /ledgers?max_results=2&next_token=x\n',
  'GET /ledgers/L\n',
  'PATCH /ledgers/L\n{"DeletionProtection":false,"KmsKey":"AWS_OWNED_KMS_KEY"}',
  'PATCH /ledgers/L/permissions-mode\n{"PermissionsMode":"STANDARD"}',
  'DELETE /ledgers/M\n',
  'POST /ledgers/L/digest\n',
  `POST /ledgers/L/block\n${address}`,
  `POST /ledgers/L/revision\n${address.slice(0, -1)},"DocumentId":"d","DigestTipAddress":{"IonText":"{strandId:\\"s\\",sequenceNo:0}"}}`,
  'GET /tags/arn%3Aaws%3Aqldb%3Aus-east-1%3A000000000000%3Aledger%2FL\n',
  'POST /tags/arn%3Aaws%3Aqldb%3Aus-east-1%3A000000000000%3Aledger%2FL\n{"Tags":{"k":"v","__proto__":"x"}}',
  'DELETE /tags/arn%3Aaws%3Aqldb%3Aus-east-1%3A000000000000%3Aledger%2FL?tagKeys=k&tagKeys=k\n',
  'GET /journal-s3-exports\n',
  'DELETE /ledgers/L/journal-kinesis-streams/x\n',
]

export const controlApiTarget: Target = {
  name: 'control-api',
  oracle:
    'every answer is a success or a fault with a name and a message; none is a failure inside',
  sources: /\/packages\/qldb-server\/src\//,
  batchCount: 128,
  async open() {
    let api = await openWithLedger()
    let requestCount = 0
    return {
      seeds: requests.map((text) =>
        inputOfText(text.replaceAll('@', api.host.getLedger('L').strandId)),
      ),
      dictionary: [...jsonTokens, ...tokens],
      generate,
      async run(input) {
        if (++requestCount % requestCountMax === 0) {
          await api.close()
          api = await openWithLedger()
        }
        await request(api, input)
      },
      close: () => api.close(),
    }
  },
}

const tokens = [
  ...[
    'GET ',
    'POST ',
    'PATCH ',
    'DELETE ',
    '/ledgers',
    '/ledgers/L',
    '/digest',
    '/block',
    '/tags/',
  ],
  ...[
    '?max_results=',
    '?max_results=-1',
    '&next_token=',
    '?tagKeys=',
    '"Name":',
    '"Tags":',
    '"KmsKey":',
  ],
  ...['"PermissionsMode":"STANDARD"', '"DeletionProtection":', '"DocumentId":', '"IonText":', '\n'],
].map(inputOfText)

async function openWithLedger(): Promise<ApiHost> {
  const api = await openApiHost({ ledgerLimits: { ledgerCountMax: 5 } })
  await api.host.createLedger({ name: 'L', isDeletionProtected: true })
  return api
}

function generate(random: SeededRandom): Uint8Array {
  const text = requests[random.below(requests.length)] ?? ''
  return inputOfText(`${text.split('\n', 1)[0]}\n${JSON.stringify(randomJson(random, 3))}`)
}

async function request(api: ApiHost, input: Uint8Array): Promise<void> {
  const at = input.indexOf(10)
  const line = Buffer.from(at < 0 ? input : input.subarray(0, at)).toString('utf8')
  const [method = 'GET', target = '/'] = line.split(' ')
  const [path = '/', query = ''] = target.split('?', 2)
  const body = at < 0 ? new Uint8Array(0) : input.subarray(at + 1)
  checkAnswer(await api.server.respond({ method, path, query, headers: {}, body }), api)
}
