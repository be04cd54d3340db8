/** `npm run build`: installs what building needs, unless it is there, and compiles what changed. */
import { checkNodeVersion, ensureBuilt, ensureInstalled } from './prepare.js'

checkNodeVersion()
ensureInstalled('start')
ensureBuilt()
