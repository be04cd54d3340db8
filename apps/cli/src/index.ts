/** `@cairn/cli`: the `cairn` program. */

export { main, runAsProgram } from './main.ts'
export type { Terminal } from './terminal.ts'
