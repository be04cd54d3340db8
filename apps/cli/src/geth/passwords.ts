/** Passwords: from the lines of a file, or asked for at a terminal that does not show them. */
import { readFile } from 'node:fs/promises'
import { CliError } from '../errors.ts'
import type { Terminal } from '../terminal.ts'
import { readLine } from './read-line.ts'

/** @returns the lines of the file; the last password stands for all that follow. */
export async function readPasswordFile(path: string): Promise<string[]> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (cause) {
    throw new CliError(
      { code: 'FILE_INVALID', path },
      {
        shortMessage: 'The password file cannot be read.',
        metaMessages: [`File: ${path}`, 'It has one password on each line.'],
        cause,
      },
    )
  }
  return text
    .replace(/\n$/, '')
    .split('\n')
    .map((line) => line.replace(/\r$/, ''))
}

/** Asks twice for a new password. */
export async function askNewPassword(terminal: Terminal): Promise<string> {
  for (;;) {
    const password = await readLine(terminal, 'Password: ', true)
    const again = await readLine(terminal, 'Repeat password: ', true)
    if (password === again) return password
    terminal.errorOutput.write('Passwords do not match.\n')
    if (!terminal.isInteractive) {
      throw new CliError(
        { code: 'USAGE', command: 'cairn geth account' },
        { shortMessage: 'The two passwords are not the same.' },
      )
    }
  }
}
