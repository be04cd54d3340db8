/** Target `aws-json`: request bodies, base64, addresses and their parameters as the wire protocol reads them. */
import {
  AwsProtocolError,
  createRouter,
  decodeBase64,
  encodeBase64,
  jsonDepthMax,
  parseJsonBody,
  parseQuery,
} from '@cairn/aws-protocol'
import { jsonTokens, randomJson } from '../json-generator.ts'
import { allowing, inputOfText, mustHold, type Target, textOfInput } from '../target.ts'

const bodies = [
  '{}',
  '{"StartSession":{"LedgerName":"L"}}',
  '{"SessionToken":"t","ExecuteStatement":{"TransactionId":"x","Statement":"SELECT \\"a\\" FROM T","Parameters":[{"IonBinary":"4AEA6g=="},{"IonText":"{a:1}"}]}}',
  '{"a":[1,-0,1e400,"\\ud800",null,true,{"b":{"c":[[]]}}],"a":2,"__proto__":{"x":1}}',
  '/ledgers/L/digest?max_results=5&next_token=%2B&tagKeys=a&tagKeys=b',
  '/tags/arn%3Aaws%3Aqldb%3Aus-east-1%3A000000000000%3Aledger%2FL',
]

const router = createRouter([
  { method: 'GET', pattern: '/ledgers/{Name}', operation: 'describe' },
  { method: 'GET', pattern: '/ledgers/{Name}/digest', operation: 'digest' },
  { method: 'GET', pattern: '/tags/{ResourceArn+}', operation: 'tags' },
])

export const awsJsonTarget: Target = {
  name: 'aws-json',
  oracle:
    'only AwsProtocolError; bodies are what JSON.parse makes of them, at most 32 levels deep; base64 comes back as it was',
  sources: /\/packages\/aws-protocol\/src\//,
  open: () => ({
    seeds: bodies.map(inputOfText),
    dictionary: jsonTokens,
    generate: (random) => inputOfText(JSON.stringify(randomJson(random, 4))),
    run(input) {
      checkJsonBody(input)
      checkAddress(textOfInput(input))
      checkBase64(input)
    },
  }),
}

export function checkJsonBody(body: Uint8Array): void {
  const value = allowing([AwsProtocolError], () => parseJsonBody(body))
  if (value === undefined || body.length === 0) return
  mustHold(!Array.isArray(value), 'a body is an object')
  mustHold(depthOf(value, jsonDepthMax + 1) <= jsonDepthMax, 'a body nests deeper than bodies may')
  const plain: unknown = JSON.parse(Buffer.from(body).toString('utf8'))
  mustHold(JSON.stringify(plain) === JSON.stringify(value), 'a body is read as something else')
}

function depthOf(value: unknown, depthMax: number): number {
  if (typeof value !== 'object' || value === null || depthMax === 0) return 0
  const depths = Object.values(value).map((one) => depthOf(one, depthMax - 1))
  return 1 + Math.max(0, ...depths)
}

function checkAddress(text: string): void {
  const [path = '', query = ''] = text.split('?', 2)
  const match = allowing([AwsProtocolError], () => router.match('GET', path))
  if (match !== undefined) {
    mustHold(
      Object.values(match.labels).every((label) => label !== ''),
      'a label is empty',
    )
  }
  allowing([AwsProtocolError], () => parseQuery(query))
}

function checkBase64(input: Uint8Array): void {
  const again = decodeBase64(encodeBase64(input))
  mustHold(Buffer.compare(again, input) === 0, 'base64 changes bytes')
  const text = textOfInput(input)
  const bytes = allowing([AwsProtocolError], () => decodeBase64(text))
  if (bytes === undefined) return
  mustHold(
    text.replace(/=+$/, '') === encodeBase64(bytes).replace(/=+$/, ''),
    'two texts of base64 stand for the same bytes',
  )
}
