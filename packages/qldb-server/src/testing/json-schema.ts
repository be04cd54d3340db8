/** As much of JSON Schema 2020-12 as the OpenAPI document uses; other keywords are errors, so none goes unchecked. */

type Schema = Readonly<Record<string, unknown>>

const annotations = new Set(['description', 'default'])

/** @returns What is wrong with `value`, each with its place; empty when it is valid. */
export function schemaErrors(root: unknown, schema: unknown, value: unknown, at = '$'): string[] {
  const errors: string[] = []
  for (const [keyword, operand] of Object.entries(schema as Schema)) {
    if (annotations.has(keyword)) continue
    const check = checks[keyword]
    if (check === undefined) throw new Error(`the keyword ${keyword} is not known here`)
    errors.push(...check(operand as never, value, at, root, schema as Schema))
  }
  return errors
}

type Check = (operand: never, value: unknown, at: string, root: unknown, schema: Schema) => string[]

function fail(isValid: boolean, at: string, what: string): string[] {
  return isValid ? [] : [`${at}: ${what}`]
}

const checks: Readonly<Record<string, Check | undefined>> = {
  $ref(reference: string, value, at, root) {
    let schema: unknown = root
    for (const part of reference.split('/').slice(1)) schema = (schema as Schema)[part]
    return schemaErrors(root, schema, value, at)
  },
  anyOf(schemas: unknown[], value, at, root) {
    const isValid = schemas.some((each) => schemaErrors(root, each, value, at).length === 0)
    return fail(isValid, at, 'fits no schema of anyOf')
  },
  type(types: string | string[], value, at) {
    return fail([types].flat().includes(typeOf(value, [types].flat())), at, `is no ${types}`)
  },
  enum(values: unknown[], value, at) {
    return fail(values.includes(value), at, `is none of ${values}`)
  },
  pattern(source: string, value, at) {
    return fail(typeof value !== 'string' || new RegExp(source).test(value), at, `not ${source}`)
  },
  minimum(least: number, value, at) {
    return fail(typeof value !== 'number' || value >= least, at, `is below ${least}`)
  },
  minLength(least: number, value, at) {
    return fail(typeof value !== 'string' || value.length >= least, at, 'is too short')
  },
  maxLength(most: number, value, at) {
    return fail(typeof value !== 'string' || value.length <= most, at, 'is too long')
  },
  minItems(least: number, value, at) {
    return fail(!Array.isArray(value) || value.length >= least, at, 'has too few items')
  },
  maxItems(most: number, value, at) {
    return fail(!Array.isArray(value) || value.length <= most, at, 'has too many items')
  },
  items(schema: Schema, value, at, root) {
    if (!Array.isArray(value)) return []
    return value.flatMap((item, index) => schemaErrors(root, schema, item, `${at}[${index}]`))
  },
  required(names: string[], value, at) {
    return names.flatMap((name) => fail(Object.hasOwn(Object(value), name), at, `lacks ${name}`))
  },
  properties(schemas: Record<string, Schema>, value, at, root) {
    return Object.entries(schemas).flatMap(([name, schema]) =>
      Object.hasOwn(Object(value), name)
        ? schemaErrors(root, schema, (value as Schema)[name], `${at}.${name}`)
        : [],
    )
  },
  additionalProperties(operand: boolean, value, at, _, schema) {
    if (operand || typeOf(value, []) !== 'object') return []
    const known = Object.keys(schema['properties'] ?? {})
    return Object.keys(Object(value)).flatMap((name) =>
      fail(known.includes(name), at, `has the unknown member ${name}`),
    )
  },
}

/** `integer` only where it is asked for. */
function typeOf(value: unknown, wanted: readonly string[]): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  if (Number.isInteger(value) && wanted.includes('integer')) return 'integer'
  return typeof value
}
