import { describe, expect, it } from 'vitest'
import type { Command } from './command.ts'
import { CliError } from './errors.ts'
import { parseArguments } from './parse-arguments.ts'

const command: Command = {
  path: ['sample'],
  summary: 'A sample',
  options: [
    { name: 'execute', short: 'e', value: 'STATEMENT', repeats: true, help: '' },
    { name: 'format', value: 'FORMAT', choices: ['table', 'json'], help: '' },
    { name: 'endpoint', value: 'URL', help: '' },
    { name: 'json', help: '' },
  ],
  positionals: [
    { name: 'LEDGER', help: 'name of the ledger' },
    { name: 'TABLE', isOptional: true, help: '' },
  ],
  examples: [],
  run: () => Promise.resolve(0),
}

function usageOf(...words: string[]): string {
  try {
    parseArguments(command, words)
  } catch (error) {
    if (error instanceof CliError && error.code === 'USAGE') return error.message
    throw error
  }
  throw new Error('the words were accepted')
}

describe('parseArguments', () => {
  it('reads options before, between and after positionals', () => {
    const args = parseArguments(command, ['--json', 'a', '-e', 'x', 'b', '--format=json', '-e', ''])
    expect(args.flag('json')).toBe(true)
    expect(args.texts('execute')).toEqual(['x', ''])
    expect(args.text('format')).toBe('json')
    expect(args.text('endpoint')).toBeUndefined()
    expect([args.required(0), args.positional(1)]).toEqual(['a', 'b'])
  })

  it('takes what follows -- as it stands', () => {
    expect(parseArguments(command, ['--', '--json']).required(0)).toBe('--json')
  })

  it('lets help pass where something is missing', () => {
    expect(parseArguments(command, ['-h']).flag('help')).toBe(true)
  })

  it('names what is wrong', () => {
    expect(usageOf()).toContain('LEDGER is missing: name of the ledger.')
    expect(usageOf('a', 'b', 'c')).toContain('"c" is one word too many.')
    expect(usageOf('a', '--endpoint')).toContain('--endpoint needs a value: --endpoint URL.')
    expect(usageOf('a', '--json=1')).toContain('--json takes no value.')
    expect(usageOf('a', '--format', 'xml')).toContain('--format is one of table, json, not "xml".')
    expect(usageOf('a', '--format', 'json', '--format', 'json')).toContain('is given twice')
    expect(usageOf('a', '-x')).toContain('There is no option -x.')
  })

  it('suggests the nearest option', () => {
    expect(usageOf('a', '--formt', 'json')).toContain('Did you mean --format?')
    expect(usageOf('a', '--zzzzzz')).not.toContain('Did you mean')
  })
})
