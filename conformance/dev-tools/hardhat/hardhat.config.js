/**
 * A Hardhat 2 project on the chain of `npm start`: once with the account that the node signs for, once with a key that
 * Hardhat signs with.
 */
require('@nomicfoundation/hardhat-ethers')
require('@nomicfoundation/hardhat-chai-matchers')
const { subtask } = require('hardhat/config')
const { TASK_COMPILE_SOLIDITY_GET_SOLC_BUILD } = require('hardhat/builtin-tasks/task-names')
const { version } = require('solc/package.json')

// Hardhat downloads its compiler. This takes the one of the package `solc`, for networks without the internet.
subtask(TASK_COMPILE_SOLIDITY_GET_SOLC_BUILD, async () => ({
  compilerPath: require.resolve('solc/soljson.js'),
  isSolcJs: true,
  version,
  longVersion: version,
}))

const url = process.env.CAIRN_URL ?? 'http://127.0.0.1:8545'
const key = process.env.CAIRN_KEY

module.exports = {
  solidity: { version, settings: { evmVersion: 'cancun' } },
  networks: {
    cairn: { url },
    ...(key === undefined ? {} : { 'cairn-by-key': { url, accounts: [key] } }),
  },
}
