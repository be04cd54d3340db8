/** Contracts for tests: opcodes by name, and numbers, which are pushed. */
import { opcodes } from '@cairn/eth-evm'

const codeOf = new Map(opcodes.flatMap((opcode) => (opcode ? [[opcode.name, opcode.code]] : [])))

/** @returns hex without 0x. @example assemble('42 0 SSTORE STOP') */
export function assemble(text: string): string {
  return text
    .split(/\s+/)
    .filter((word) => word !== '')
    .map((word) => {
      const code = word === 'INVALID' ? 0xfe : codeOf.get(word)
      return code === undefined ? push(word) : byteText(code)
    })
    .join('')
}

function push(word: string): string {
  if (word === '0') return byteText(0x5f)
  // Written as hex it keeps its zeros, as addresses need.
  const digits = word.startsWith('0x') ? word.slice(2) : BigInt(word).toString(16)
  const bytes = digits.length % 2 === 0 ? digits : `0${digits}`
  return byteText(0x5f + bytes.length / 2) + bytes
}

function byteText(value: number): string {
  return value.toString(16).padStart(2, '0')
}

/** Init code that makes a contract of `code`. @param code Hex without 0x. @returns `0x` and hex. */
export function initCodeOf(code: string): `0x${string}` {
  const size = code.length / 2
  const start = (offset: number): string =>
    `61${size.toString(16).padStart(4, '0')}8060${byteText(offset)}5f395ff3`
  return `0x${start(start(0).length / 2)}${code}`
}
