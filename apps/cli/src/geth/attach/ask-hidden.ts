/**
 * A line from the keyboard that is not shown, while the thread waits: the console has no promises. Reads the terminal
 * itself, since what stands on standard input belongs to the prompt of the console.
 */
import { closeSync, openSync, readSync, writeSync } from 'node:fs'
import { ReadStream } from 'node:tty'

const terminalPath = '/dev/tty'
const [ctrlC, ctrlD, backspace, deleteKey] = [3, 4, 8, 127]
const lineBytesMax = 1024

/** @throws Error when there is no terminal, or Ctrl-C is typed. */
export function askHidden(prompt: string): string {
  const descriptor = openTerminal()
  // The mode belongs to the device, not to the stream: whoever reads next finds it as it was before.
  const stream = process.stdin as ReadStream
  const wasRaw = stream.isRaw === true
  if (stream instanceof ReadStream && !wasRaw) stream.setRawMode(true)
  try {
    writeSync(descriptor, prompt)
    const line = readKeys(descriptor)
    writeSync(descriptor, '\r\n')
    return line
  } finally {
    if (stream instanceof ReadStream && !wasRaw) stream.setRawMode(false)
    closeSync(descriptor)
  }
}

function openTerminal(): number {
  try {
    return openSync(terminalPath, 'r+')
  } catch (cause) {
    throw new Error('There is no terminal to ask for the password: give it as an argument.', {
      cause,
    })
  }
}

function readKeys(descriptor: number): string {
  const typed: number[] = []
  const key = Buffer.alloc(1)
  while (typed.length < lineBytesMax && readSync(descriptor, key) === 1) {
    const byte = key[0] as number
    if (byte === 10 || byte === 13 || byte === ctrlD) break
    if (byte === ctrlC) throw new Error('interrupted')
    if (byte === backspace || byte === deleteKey) typed.pop()
    else typed.push(byte)
  }
  return Buffer.from(typed).toString('utf8')
}
