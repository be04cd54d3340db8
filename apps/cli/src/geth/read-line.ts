/** One line from the person at the terminal, or from a pipe, with or without showing what is typed. */
import type { ReadStream } from 'node:tty'
import type { Terminal } from '../terminal.ts'

const buffers = new WeakMap<object, { text: string; isEnded: boolean }>()

/** @returns the line without its end; an empty one when there is nothing more to read. */
export async function readLine(
  terminal: Terminal,
  prompt: string,
  isHidden = false,
): Promise<string> {
  terminal.output.write(prompt)
  const line = (await nextLine(terminal, isHidden)) ?? ''
  if (isHidden && terminal.isInteractive) terminal.output.write('\n')
  return line
}

/** @returns undefined at the end of the input. */
export async function nextLine(terminal: Terminal, isHidden = false): Promise<string | undefined> {
  const { input } = terminal
  const buffer = buffers.get(input) ?? { text: '', isEnded: false }
  buffers.set(input, buffer)
  const tty = isHidden && terminal.isInteractive ? (input as ReadStream) : undefined
  // The terminal echoes in its own mode only; in raw mode the Enter key is a carriage return.
  tty?.setRawMode?.(true)
  try {
    for (;;) {
      const end = buffer.text.search(/[\r\n]/)
      if (end >= 0) {
        const line = buffer.text.slice(0, end)
        const size = buffer.text.startsWith('\r\n', end) ? 2 : 1
        buffer.text = buffer.text.slice(end + size)
        return line
      }
      const chunk = buffer.isEnded ? undefined : await nextChunk(terminal)
      if (chunk === undefined) {
        buffer.isEnded = true
        if (buffer.text === '') return undefined
        const line = buffer.text
        buffer.text = ''
        return line
      }
      buffer.text += withoutControl(chunk)
    }
  } finally {
    tty?.setRawMode?.(false)
  }
}

/** Ctrl-C ends the program also in raw mode. */
function withoutControl(chunk: string): string {
  if (chunk.includes('\u0003')) process.kill(process.pid, 'SIGINT')
  return chunk
}

function nextChunk({ input }: Terminal): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const settle = (value: string | undefined, error?: Error) => {
      input.off('data', onData)
      input.off('end', onEnd)
      input.off('error', onError)
      input.pause()
      if (error === undefined) resolve(value)
      else reject(error)
    }
    const onData = (chunk: Buffer | string) => settle(chunk.toString())
    const onEnd = () => settle(undefined)
    const onError = (error: Error) => settle(undefined, error)
    input.on('data', onData)
    input.on('end', onEnd)
    input.on('error', onError)
    if (input.readableEnded) onEnd()
    else input.resume()
  })
}
