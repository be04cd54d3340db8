/**
 * Values as geth's console prints them (go-ethereum 1.13, internal/jsre/pretty.go): texts in double quotes, members in
 * the order of their names with functions last, amounts as plain numbers, nothing deeper than four levels.
 */

/** Deeper arrays and objects are shown as `[...]` and `{...}`. */
const levelMax = 3
const indentText = '  '

export function formatConsoleValue(value: unknown): string {
  return format(value, 0, false)
}

function format(value: unknown, level: number, isInArray: boolean): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value)
    case 'function':
      return 'function()'
    case 'object':
      if (value === null) return 'null'
      if (Array.isArray(value)) return formatArray(value, level)
      return formatObject(value, level, isInArray)
    default:
      return String(value)
  }
}

function formatArray(items: readonly unknown[], level: number): string {
  if (items.length === 0) return '[]'
  if (level > levelMax) return '[...]'
  return `[${items.map((item) => format(item, level + 1, true)).join(', ')}]`
}

/** An object in an array ends under the bracket that opened the array. */
function formatObject(value: object, level: number, isInArray: boolean): string {
  const names = namesOf(value)
  if (names.length === 0) return '{}'
  if (level > levelMax) return '{...}'
  const fields = names.map((name) => {
    const field = format((value as Record<string, unknown>)[name], level + 1, false)
    return `${indentText.repeat(level + 1)}${name}: ${field}`
  })
  const end = indentText.repeat(isInArray ? level - 1 : level)
  return `{\n${fields.join(',\n')}\n${end}}`
}

function namesOf(value: object): string[] {
  const isFunction = (name: string) =>
    typeof Object.getOwnPropertyDescriptor(value, name)?.value === 'function'
  const names = Object.keys(value).sort()
  return [...names.filter((name) => !isFunction(name)), ...names.filter(isFunction)]
}
