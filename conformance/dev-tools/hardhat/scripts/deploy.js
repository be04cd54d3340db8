/** `hardhat run scripts/deploy.js --network cairn`: deploys a token and prints where it is. */
const { ethers } = require('hardhat')

async function deploy() {
  const token = await ethers.deployContract('Token', [1000n])
  await token.waitForDeployment()
  const [holder] = await ethers.getSigners()
  console.log(
    JSON.stringify({
      token: await token.getAddress(),
      holder: holder.address,
      balance: String(await token.balanceOf(holder.address)),
    }),
  )
}

deploy().catch((error) => {
  console.error(error)
  process.exitCode = 1
})
