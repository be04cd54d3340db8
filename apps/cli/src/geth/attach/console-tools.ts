/** What geth's console has beside the methods of the node: `loadScript`, `console.log`, waiting. */
import { readFileSync } from 'node:fs'
import { type Context, Script } from 'node:vm'
import { print, type Terminal } from '../../terminal.ts'
import { askHidden } from './ask-hidden.ts'
import type { Polls } from './console-polls.ts'
import { formatConsoleValue } from './console-value.ts'

/** Between two looks at the head, and at what is watched, while the console sleeps. */
const pollMs = 100

interface Chain {
  readonly eth: { readonly blockNumber: number }
  readonly personal: Personal
}

type Personal = Readonly<
  Record<'newAccount' | 'unlockAccount' | 'sign' | 'sendTransaction', Method>
>
type Method = (...args: unknown[]) => unknown

/** @param context Where scripts run: they share their variables with what is typed. */
export function consoleTools(
  objects: Record<string, unknown>,
  context: Context,
  terminal: Terminal,
  polls: Polls,
): Record<string, unknown> {
  const { eth, personal } = objects as unknown as Chain
  Object.assign(personal, passwordAsking(personal))
  const sleepUntil = (endMs: number, isOver: () => boolean) => {
    for (;;) {
      polls.run()
      const leftMs = endMs - performance.now()
      if (isOver()) return true
      if (leftMs <= 0) return false
      wait(Math.min(pollMs, leftMs))
    }
  }
  const sleep = (seconds: number) => {
    sleepUntil(performance.now() + seconds * 1000, () => false)
  }
  const sleepBlocks = (count: number, timeoutSeconds = Number.POSITIVE_INFINITY) => {
    const last = eth.blockNumber + count
    const isOver = sleepUntil(
      performance.now() + timeoutSeconds * 1000,
      () => eth.blockNumber >= last,
    )
    // What the last of these blocks has brought.
    polls.run()
    return isOver
  }
  Object.assign(objects['admin'] as object, { sleep, sleepBlocks })
  new Script(bigNumberMethods).runInContext(context)
  const log = (...values: unknown[]) => {
    print(
      terminal,
      values.map((it) => (typeof it === 'string' ? it : formatConsoleValue(it))).join(' '),
    )
  }
  return {
    console: { log, error: log, warn: log, info: log },
    loadScript(path: string) {
      new Script(readFileSync(path, 'utf8'), { filename: path }).runInContext(context)
      return true
    },
  }
}

/**
 * What scripts for web3 0.20 call on its BigNumber and is exact on integers. Bigints of the console's own context get
 * it, and no others.
 */
const bigNumberMethods = `
  for (const [name, compute] of Object.entries({
    toNumber: Number,
    plus: (a, b) => a + BigInt(b),
    minus: (a, b) => a - BigInt(b),
    times: (a, b) => a * BigInt(b),
    eq: (a, b) => a == b,
    gt: (a, b) => a > b,
    gte: (a, b) => a >= b,
    lt: (a, b) => a < b,
    lte: (a, b) => a <= b,
  })) {
    const value = function (other) { return compute(BigInt(this), other) }
    Object.defineProperty(BigInt.prototype, name, { value, configurable: true, writable: true })
  }`

/** Methods that ask for the password when it is left out, as geth's console does. */
function passwordAsking({ newAccount, unlockAccount, sign, sendTransaction }: Personal): Personal {
  const ask = (
    method: Method,
    countBefore: number,
    prompt: (args: unknown[]) => string,
  ): Method => {
    return (...args) => {
      const hasPassword = args[countBefore] !== undefined && args[countBefore] !== null
      if (hasPassword) return method(...args)
      const given = args.slice(0, countBefore)
      return method(...given, askHidden(prompt(given)), ...args.slice(countBefore + 1))
    }
  }
  const prompt = () => 'Passphrase: '
  return {
    newAccount(password) {
      if (typeof password === 'string') return newAccount(password)
      const first = askHidden('Passphrase: ')
      if (askHidden('Repeat passphrase: ') !== first) throw new Error('passphrases do not match')
      return newAccount(first)
    },
    unlockAccount: ask(
      unlockAccount,
      1,
      ([account]) => `Unlock account ${account}\r\nPassphrase: `,
    ),
    sign: ask(sign, 2, prompt),
    sendTransaction: ask(sendTransaction, 1, prompt),
  }
}

/** Everything in the console waits for its answer, so this may stop the thread. */
function wait(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}
