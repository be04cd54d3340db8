/** `truffle test --network cairn`: runs the migration, then asks what it made; web3 1.10 underneath. */
const Token = artifacts.require('Token')

const other = `0x${'22'.repeat(20)}`
const nobody = `0x${'00'.repeat(20)}`

/** The error of a promise that must fail. */
const failure = (promise) =>
  promise.then(
    () => assert.fail('it did not fail'),
    (error) => error,
  )

contract('Token', ([holder]) => {
  let token
  before(async () => {
    token = await Token.deployed()
  })

  it('is migrated', async () => {
    assert.equal(await token.totalSupply(), 1000)
    assert.equal(await token.balanceOf(holder), 999)
    assert.isAbove(await web3.eth.getBlockNumber(), 0)
  })

  it('is transferred, with an event', async () => {
    const { receipt, logs } = await token.transfer(other, 30)
    assert.equal(receipt.status, true)
    assert.equal(logs[0].event, 'Transfer')
    assert.equal(logs[0].args.value, 30)
    assert.equal(await token.balanceOf(other), 30)
    const events = await token.getPastEvents('Transfer', { fromBlock: 0, filter: { to: other } })
    assert.equal(events.length, 1)
  })

  it('refuses with a reason, sent, called and in a constructor', async () => {
    const sent = await failure(token.transfer(nobody, 1))
    assert.equal(sent.reason, 'to nobody')
    assert.match(sent.message, /execution reverted: to nobody/)
    const called = await failure(token.transfer.call(nobody, 1))
    assert.match(called.message, /execution reverted: to nobody/)
    const made = await failure(Token.new(0))
    assert.match(made.message, /no supply/)
  })

  it('refuses with a custom error', async () => {
    const { data } = await failure(token.transfer.call(other, 5000))
    assert.equal(data.slice(0, 10), web3.utils.sha3('Insufficient(uint256,uint256)').slice(0, 10))
    const { 0: balance, 1: wanted } = web3.eth.abi.decodeParameters(
      ['uint256', 'uint256'],
      data.slice(10),
    )
    assert.deepEqual([balance, wanted], ['969', '5000'])
  })

  it('fails in a block when its gas was given', async () => {
    const error = await failure(token.transfer(nobody, 1, { gas: 100000 }))
    assert.equal(error.receipt.status, false)
    assert.equal(error.reason, 'to nobody')
  })
})
