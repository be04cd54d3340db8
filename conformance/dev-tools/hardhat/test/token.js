/** `hardhat test --network cairn`: what a contract does, and each way in which it refuses. */
const { expect } = require('chai')
const { ethers, network } = require('hardhat')

const other = `0x${'22'.repeat(20)}`

describe('Token', () => {
  let token
  let holder
  before(async () => {
    ;[holder] = await ethers.getSigners()
    token = await ethers.deployContract('Token', [1000n])
    await token.waitForDeployment()
  })

  it('is deployed with its supply', async () => {
    expect(await token.totalSupply()).to.equal(1000n)
    expect(await token.balanceOf(holder.address)).to.equal(1000n)
    const receipt = await token.deploymentTransaction().wait()
    expect(receipt.contractAddress).to.equal(await token.getAddress())
  })

  it('is transferred, with an event and changed balances', async () => {
    const sent = await token.transfer(other, 30n)
    // Not needed on Hardhat's own node, which answers when the block is made: `emit` asks for the receipt at once.
    await sent.wait()
    await expect(sent).to.emit(token, 'Transfer').withArgs(holder.address, other, 30n)
    await expect(token.transfer(other, 5n)).to.changeTokenBalances(
      token,
      [holder, other],
      [-5n, 5n],
    )
    const found = await token.queryFilter(token.filters.Transfer(holder.address, other))
    expect(found.map(({ args }) => args.value)).to.deep.equal([30n, 5n])
  })

  it('moves ether', async () => {
    await expect(holder.sendTransaction({ to: other, value: 7n })).to.changeEtherBalance(other, 7n)
  })

  it('refuses with a custom error', async () => {
    await expect(token.transfer(other, 2000n))
      .to.be.revertedWithCustomError(token, 'Insufficient')
      .withArgs(965n, 2000n)
    await expect(token.transfer.staticCall(other, 2000n)).to.be.revertedWithCustomError(
      token,
      'Insufficient',
    )
  })

  it('refuses with a reason, in a constructor too', async () => {
    await expect(token.transfer(ethers.ZeroAddress, 1n)).to.be.revertedWith('to nobody')
    await expect(ethers.deployContract('Token', [0n])).to.be.revertedWith('no supply')
  })

  it('panics', async () => {
    await expect(token.divide(0n)).to.be.revertedWithPanic(0x12)
  })

  it('fails in a block when its gas was given', async () => {
    const sent = await token.transfer(other, 2000n, { gasLimit: 100_000n })
    await expect(sent.wait()).to.be.rejectedWith('transaction execution reverted')
    await expect(sent).to.be.reverted
    expect((await ethers.provider.getTransactionReceipt(sent.hash)).status).to.equal(0)
  })

  it('sends several transactions in a row without waiting', async () => {
    const before = await ethers.provider.getTransactionCount(holder.address)
    const sent = []
    for (let i = 0; i < 5; i++) sent.push(await token.transfer(other, 1n))
    await Promise.all(sent.map((each) => each.wait()))
    expect(sent.map(({ nonce }) => nonce - before)).to.deep.equal([0, 1, 2, 3, 4])
  })

  it('speaks JSON-RPC as it likes', async () => {
    expect(Number(await network.provider.send('eth_chainId'))).to.equal(
      Number((await ethers.provider.getNetwork()).chainId),
    )
    const signature = await holder.signMessage('hello')
    expect(ethers.verifyMessage('hello', signature)).to.equal(holder.address)
  })
})
