import { describe, expect, it } from 'vitest'

interface Entry {
  readonly version?: string
  readonly link?: boolean
  readonly dev?: boolean
  readonly optional?: boolean
  readonly devOptional?: boolean
}
type Packages = Readonly<Record<string, Entry>>
type Needs = 'start' | 'all'
interface Prepare {
  planInstallation(
    wanted: Packages,
    present: Packages | undefined,
    needs: Needs,
  ): { readonly command: 'ci' | 'install'; readonly needs: Needs } | undefined
}

// Plain JavaScript, since it runs before anything is installed; its types are said here.
const file = new URL('./prepare.js', import.meta.url).href
const { planInstallation } = (await import(file)) as Prepare

const runtime: Packages = {
  'node_modules/@cairn/core': { link: true },
  'node_modules/lmdb': { version: '3.5.6' },
  'apps/server/node_modules/api': { version: '1.10.0' },
}
const tools: Packages = { 'node_modules/vitest': { version: '4.1.12', dev: true } }
const elsewhere: Packages = {
  'node_modules/@lmdb/lmdb-win32-x64': { version: '3.5.6', optional: true },
  'node_modules/bufferutil': { version: '4.1.0', devOptional: true },
}
/** A lock file also lists the workspaces themselves. */
const wanted: Packages = { '': {}, 'packages/core': {}, ...runtime, ...tools, ...elsewhere }

describe('the plan of an installation', () => {
  it('begins anew where nothing is known to be there', () => {
    expect(planInstallation(wanted, undefined, 'start')).toEqual({ command: 'ci', needs: 'start' })
    expect(planInstallation(wanted, undefined, 'all')).toEqual({ command: 'ci', needs: 'all' })
  })

  it('asks for nothing when a start finds what runs, without packages of other platforms', () => {
    expect(planInstallation(wanted, runtime, 'start')).toBeUndefined()
  })

  it('adds the tools of tests to what a start left', () => {
    expect(planInstallation(wanted, runtime, 'all')).toEqual({ command: 'install', needs: 'all' })
  })

  it('asks for nothing at all when everything is there', () => {
    const present = { ...runtime, ...tools }
    expect(planInstallation(wanted, present, 'start')).toBeUndefined()
    expect(planInstallation(wanted, present, 'all')).toBeUndefined()
  })

  it('adds a workspace that came since', () => {
    const more = { ...wanted, 'node_modules/@cairn/new': { link: true } }
    expect(planInstallation(more, runtime, 'start')).toEqual({ command: 'install', needs: 'start' })
  })

  it('begins anew when a version changed, that of an optional package too', () => {
    const older = { ...runtime, 'node_modules/lmdb': { version: '3.5.5' } }
    expect(planInstallation(wanted, older, 'start')).toEqual({ command: 'ci', needs: 'start' })
    const optional = { ...runtime, 'node_modules/@lmdb/lmdb-win32-x64': { version: '3.5.5' } }
    expect(planInstallation(wanted, optional, 'all')).toEqual({ command: 'ci', needs: 'all' })
  })

  it('keeps the tools of tests when a start has to install', () => {
    const older = { ...runtime, ...tools, 'node_modules/lmdb': { version: '3.5.5' } }
    expect(planInstallation(wanted, older, 'start')).toEqual({ command: 'ci', needs: 'all' })
    const { 'node_modules/lmdb': _, ...less } = { ...runtime, ...tools }
    expect(planInstallation(wanted, less, 'start')).toEqual({ command: 'install', needs: 'all' })
  })

  it('leaves a start alone where only the version of a tool changed', () => {
    const older = { ...runtime, 'node_modules/vitest': { version: '4.1.11' } }
    expect(planInstallation(wanted, older, 'start')).toBeUndefined()
    expect(planInstallation(wanted, older, 'all')).toEqual({ command: 'ci', needs: 'all' })
  })
})
