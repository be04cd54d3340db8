/**
 * `node scripts/ready-check.js ENDPOINT write|read`: one visit by the real clients over https. `write` makes a ledger,
 * a table and a document, `read` looks the document up. Fails when the answer is another one.
 */
import { CreateLedgerCommand, DescribeLedgerCommand, QLDBClient } from '@aws-sdk/client-qldb'
import { QldbDriver, RetryConfig } from 'amazon-qldb-driver-nodejs'

const [endpoint, action] = process.argv.slice(2)
const ledgerName = 'ready-check'
const vehicle = { VIN: '1N4AL11D75C109151', Year: 2011 }

const options = {
  endpoint,
  region: 'us-east-1',
  credentials: { accessKeyId: 'ready-check', secretAccessKey: 'ready-check' },
}
const control = new QLDBClient(options)
if (action === 'write') {
  await control.send(new CreateLedgerCommand({ Name: ledgerName, PermissionsMode: 'ALLOW_ALL' }))
}
const { State: state } = await control.send(new DescribeLedgerCommand({ Name: ledgerName }))
if (state !== 'ACTIVE') fail(`the ledger is ${state}`)

const driver = new QldbDriver(ledgerName, options, {}, 1, new RetryConfig(0))
if (action === 'write') {
  await driver.executeLambda(async (transaction) => {
    await transaction.execute('CREATE TABLE Vehicle')
    await transaction.execute('CREATE INDEX ON Vehicle (VIN)')
  })
  await driver.executeLambda((transaction) => transaction.execute('INSERT INTO Vehicle ?', vehicle))
}
const result = await driver.executeLambda((transaction) =>
  transaction.execute('SELECT * FROM Vehicle WHERE VIN = ?', vehicle.VIN),
)
driver.close()
control.destroy()

const [found, ...others] = result.getResultList()
if (others.length > 0) fail(`${others.length + 1} documents were found, 1 was written`)
if (found?.get('Year')?.numberValue() !== vehicle.Year) fail('the document was not found')
console.log(`Ready check passed: ${action}.`)

function fail(message) {
  console.error(`Ready check failed: ${message}.`)
  process.exit(1)
}
