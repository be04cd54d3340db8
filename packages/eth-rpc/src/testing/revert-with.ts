/** Code that reverts with a reason, as Solidity's `require` does. */

/** @param reason At most 32 characters. @returns a text for `assemble`. */
export function revertWith(reason: string): string {
  const text = Buffer.from(reason).toString('hex').padEnd(64, '0')
  const word = (value: number) => value.toString(16).padStart(64, '0')
  const data = `08c379a0${word(32)}${word(reason.length)}${text}`.padEnd(256, '0')
  const stores = [0, 1, 2, 3].map((i) => `0x${data.slice(64 * i, 64 * i + 64)} ${32 * i} MSTORE`)
  return `${stores.join(' ')} 100 0 REVERT`
}
