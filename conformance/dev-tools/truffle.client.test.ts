/** truffle 5.11, unmodified, with web3 1.10 within, on a server as `npm start` has it: compiles, migrates, tests. */
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { openToolProject, type ToolProject, timeouts } from './tool-project.ts'

vi.setConfig(timeouts)

const program = 'node_modules/truffle/build/cli.bundled.js'

let project: ToolProject
beforeAll(async () => {
  project = await openToolProject('truffle', program)
})
afterAll(() => project?.close())

it('compiles', async () => {
  const output = await project.tool('compile')
  expect(output).toMatch(/Compiled successfully using:\s+- solc: 0\.8\.26/)
})

it('migrates', async () => {
  const output = await project.tool('migrate', '--network', 'cairn')
  expect(output).toMatch(/Network id: +1337/)
  expect(output).toMatch(/Total deployments: +1/)
  // From the artifact, which it keeps by the chain's id.
  expect(await project.tool('networks')).toMatch(/\(id: 1337\)\s+Token: 0x/)
})

it('tests', async () => {
  const output = await project.tool('test', '--network', 'cairn')
  expect(output).toContain('5 passing')
  expect(output).not.toMatch(/failing|pending/)
})
