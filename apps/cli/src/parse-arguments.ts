/** Command lines against the tables of a command: `--name value`, `--name=value`, `-e value`, `--` ends the options. */
import { assert } from '@cairn/core'
import { type Arguments, type Command, helpOption, type OptionSpec } from './command.ts'
import { usageError } from './errors.ts'
import { nearestWord } from './suggest.ts'

/** @throws CliError USAGE */
export function parseArguments(command: Command, words: readonly string[]): Arguments {
  const name = `cairn ${command.path.join(' ')}`
  const specs = [...command.options, helpOption]
  const values = new Map<string, string[]>()
  const positionals: string[] = []

  let areOptionsOver = false
  for (let i = 0; i < words.length; i++) {
    const word = words[i] as string
    if (areOptionsOver || !word.startsWith('-') || word === '-') {
      positionals.push(word)
    } else if (word === '--') {
      areOptionsOver = true
    } else {
      const equals = word.startsWith('--') ? word.indexOf('=') : -1
      const optionName = equals < 0 ? word : word.slice(0, equals)
      const spec = findOption(name, specs, optionName)
      let value = equals < 0 ? undefined : word.slice(equals + 1)
      if (spec.value === undefined) {
        if (value !== undefined) throw usageError(name, `${optionName} takes no value.`)
        value = ''
      } else if (value === undefined) {
        value = words[++i]
        if (value === undefined) {
          throw usageError(name, `${optionName} needs a value: ${optionName} ${spec.value}.`)
        }
      }
      addValue(name, spec, value, values)
    }
  }

  // Help is answered before anything may be missing.
  if (!values.has('help')) checkPositionals(name, command, positionals)
  return createArguments(specs, values, positionals)
}

function findOption(command: string, specs: readonly OptionSpec[], word: string): OptionSpec {
  const spec = specs.find((each) => word === `--${each.name}` || word === `-${each.short}`)
  if (spec !== undefined) return spec
  const near = nearestWord(
    word,
    specs.map((each) => `--${each.name}`),
  )
  const hint = near === undefined ? undefined : `Did you mean ${near}?`
  throw usageError(command, `There is no option ${word}.`, hint)
}

function addValue(
  command: string,
  spec: OptionSpec,
  value: string,
  values: Map<string, string[]>,
): void {
  const name = `--${spec.name}`
  if (spec.choices !== undefined && !spec.choices.includes(value)) {
    throw usageError(command, `${name} is one of ${spec.choices.join(', ')}, not "${value}".`)
  }
  const present = values.get(spec.name)
  if (present === undefined) values.set(spec.name, [value])
  else if (spec.repeats === true) present.push(value)
  else if (spec.value !== undefined) throw usageError(command, `${name} is given twice.`)
}

function checkPositionals(name: string, command: Command, words: readonly string[]): void {
  const missing = command.positionals.find(
    (spec, index) => spec.isOptional !== true && words[index] === undefined,
  )
  if (missing !== undefined) {
    throw usageError(name, `${missing.name} is missing: ${missing.help}.`)
  }
  const extra = words[command.positionals.length]
  if (extra !== undefined) throw usageError(name, `"${extra}" is one word too many.`)
}

function createArguments(
  specs: readonly OptionSpec[],
  values: ReadonlyMap<string, readonly string[]>,
  positionals: readonly string[],
): Arguments {
  const valuesOf = (name: string): readonly string[] => {
    assert(
      specs.some((spec) => spec.name === name),
      `option ${name} is not declared`,
    )
    return values.get(name) ?? []
  }
  return {
    flag: (name) => valuesOf(name).length > 0,
    text: (name) => valuesOf(name)[0],
    texts: valuesOf,
    positional: (index) => positionals[index],
    required(index) {
      const value = positionals[index]
      assert(value !== undefined, `positional ${index} is not declared as required`)
      return value
    },
  }
}
