/** `truffle migrate --network cairn`: deploys the token and makes a first transfer. */
const Token = artifacts.require('Token')

module.exports = async (deployer, _network, [holder]) => {
  await deployer.deploy(Token, 1000)
  const token = await Token.deployed()
  await token.transfer(`0x${'33'.repeat(20)}`, 1, { from: holder })
}
