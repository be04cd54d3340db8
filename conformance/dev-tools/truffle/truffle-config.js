/** A truffle 5 project on the chain of `npm start`, compiled by the package `solc`: nothing is downloaded. */
const { dirname } = require('node:path')

const url = new URL(process.env.CAIRN_URL ?? 'http://127.0.0.1:8545')

module.exports = {
  networks: {
    cairn: { host: url.hostname, port: Number(url.port), network_id: '*' },
  },
  compilers: {
    solc: {
      version: dirname(require.resolve('solc/package.json')),
      settings: { evmVersion: 'cancun' },
    },
  },
}
