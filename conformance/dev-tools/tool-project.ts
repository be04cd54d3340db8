/**
 * Projects of developer tools, run by the tools as they come from the registry. Hardhat, truffle and forge together
 * take 820 MB and a minute to install, more than all the rest of the workspace: so each has a folder with a lock file
 * of its own, no workspace, installed when the first test needs it. Neither `npm start` nor `npm ci` knows of them.
 */
import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify, stripVTControlCharacters } from 'node:util'
import { silentLogger } from '@cairn/core'
import { type RunningServer, startServer } from '@cairn/server'
import { tokenSourceFile } from '@cairn/testing'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../..', import.meta.url))
/** A cold cache and a slow registry. */
const installMsMax = 600_000
/** The longest run takes 10 s where nothing else runs. */
const toolMsMax = 300_000
/** More than any of them prints. */
const outputBytesMax = 16 * 1024 * 1024
/** For vitest: a test runs two tools at most. */
export const timeouts: { readonly hookTimeout: number; readonly testTimeout: number } = {
  hookTimeout: installMsMax + 60_000,
  testTimeout: 2 * toolMsMax + 10_000,
}

export interface ToolProject {
  /** A server as `npm start` has it, blocks of a second. */
  readonly server: RunningServer
  /** @returns what the tool prints, without colours. @throws Error with that when it fails. */
  tool(...words: readonly string[]): Promise<string>
  close(): Promise<void>
}

/**
 * A copy of the project, so that what the tools write stays out of the source.
 * @param program Within the folder of the project: JavaScript, or a binary.
 */
export async function openToolProject(
  name: 'foundry' | 'hardhat' | 'truffle',
  program: string,
  periodSeconds = 1,
): Promise<ToolProject> {
  const source = fileURLToPath(new URL(name, import.meta.url))
  await install(source)
  const folder = await mkdtemp(join(tmpdir(), `cairn-${name}-`))
  const project = join(folder, 'project')
  const modules = join(source, 'node_modules')
  await cp(source, project, { recursive: true, filter: (path) => path !== modules })
  await symlink(modules, join(project, 'node_modules'), 'junction')
  await mkdir(join(project, 'contracts'))
  await cp(tokenSourceFile, join(project, 'contracts', basename(tokenSourceFile)))
  const server = await startChain(join(folder, 'data'), periodSeconds)
  const { http = '', devAccount } = server.info.endpoints.ethereum ?? {}
  const path = join(project, program)
  const command = program.endsWith('.js') ? [process.execPath, path] : [path]
  const env = {
    PATH: process.env['PATH'],
    // Tools keep settings and compilers at home.
    HOME: join(folder, 'home'),
    CI: 'true',
    CAIRN_URL: http,
    CAIRN_KEY: devAccount?.privateKey,
    HARDHAT_DISABLE_TELEMETRY_PROMPT: 'true',
  }
  return {
    server,
    async tool(...words) {
      const options = { cwd: project, env, timeout: toolMsMax, maxBuffer: outputBytesMax }
      try {
        const [file = '', ...first] = command
        const { stdout } = await run(file, [...first, ...words], options)
        return stripVTControlCharacters(stdout)
      } catch (error) {
        const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string }
        const said = stripVTControlCharacters(`${stdout}\n${stderr}`)
        throw new Error(`${name} ${words.join(' ')} failed:\n${said}`, { cause: error })
      }
    },
    async close() {
      await server.stop()
      await rm(folder, { recursive: true })
    },
  }
}

async function install(folder: string): Promise<void> {
  const script = join(root, 'scripts', 'install-folder.js')
  await run(process.execPath, [script, folder], { timeout: installMsMax }).catch(
    (error: Error & { readonly stderr?: string }) => {
      const remedy = `By hand: cd ${folder} && npm ci`
      throw new Error(`A tool could not be installed.\n${error.stderr ?? ''}\n${remedy}`, {
        cause: error,
      })
    },
  )
}

function startChain(dataDirectory: string, periodSeconds: number): Promise<RunningServer> {
  const anyPort = { host: '127.0.0.1', port: 0 }
  return startServer({
    dataDirectory,
    listen: anyPort,
    tlsListen: anyPort,
    auth: 'off',
    logger: silentLogger,
    ethereum: {
      http: anyPort,
      webSocket: anyPort,
      mayMove: { http: false, webSocket: false },
      periodSeconds,
    },
  })
}
