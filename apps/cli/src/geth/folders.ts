/** Where geth's command line keeps things: data folder, keystore, IPC socket. */
import { resolve } from 'node:path'
import type { GethLine } from './geth-flags.ts'

/** Beside the caller, not in the home folder: what is private to a project stays with it. */
const defaultDataDirectory = './ethereum'

export function dataDirectoryOf(line: GethLine): string {
  return resolve(line.text('datadir') ?? defaultDataDirectory)
}

export function keystoreOf(line: GethLine): string {
  const given = line.text('keystore')
  return given === undefined ? `${dataDirectoryOf(line)}/keystore` : resolve(given)
}

/** geth: a bare name is a file of the data folder. */
export function ipcPathOf(line: GethLine): string {
  const given = line.text('ipcpath') ?? 'geth.ipc'
  return given.includes('/') ? resolve(given) : `${dataDirectoryOf(line)}/${given}`
}
