#!/usr/bin/env node
/** As much of the command line of Solidity's compiler as forge uses, over the package `solc`: nothing is downloaded. */
const { readFileSync } = require('node:fs')
const solc = require('solc')

const words = process.argv.slice(2)
const standardInput = 0
if (words.includes('--version')) {
  console.log(`solc, the solidity compiler commandline interface\nVersion: ${solc.version()}`)
} else if (words.includes('--standard-json')) {
  process.stdout.write(solc.compile(readFileSync(standardInput, 'utf8')))
} else {
  console.error(`solc.js knows --version and --standard-json; it was given: ${words.join(' ')}`)
  process.exitCode = 1
}
