#!/usr/bin/env node
import { runAsProgram } from '../dist/index.js'

await runAsProgram()
