/** The program `cairn`: what bin/cairn.js runs. */
import { runAsProgram } from './main.ts'

await runAsProgram()
