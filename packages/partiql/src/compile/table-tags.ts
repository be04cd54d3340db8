/**
 * Tags of a table from `CREATE TABLE … WITH (aws_tags = `{'key': 'value'}`)`: a struct of strings or symbols.
 * Spec: qldb-compat 5.1; bounds: AWS Tagging, "Tag naming limits and requirements". Other options mean nothing here.
 */
import type { IonValue } from '@cairn/ion'
import type { CreateTableStatement } from '../ast.ts'
import { type PartiqlError, partiqlError } from '../errors.ts'

const tagCountMax = 50
const tagKeyLengthMax = 128
const tagValueLengthMax = 256

/** Empty when the statement has none. @throws PartiqlError SEMANTIC, at the option that is wrong */
export function tableTagsOf({ options }: CreateTableStatement): Readonly<Record<string, string>> {
  const [option, second] = options.filter(({ name }) => name.toLowerCase() === 'aws_tags')
  if (option === undefined) return {}
  const { value, position } = option
  const refused = (message: string): PartiqlError =>
    partiqlError('SEMANTIC', position, message, [
      "Write tags as a struct of strings: WITH (aws_tags = `{'key': 'value'}`).",
    ])
  if (second !== undefined)
    throw partiqlError('SEMANTIC', second.position, 'aws_tags stands twice.')
  if (value.type !== 'struct') throw refused('aws_tags must be a struct.')
  if (value.fields.length > tagCountMax) {
    throw refused(`aws_tags has ${value.fields.length} of at most ${tagCountMax} tags.`)
  }
  const tags = new Map<string, string>()
  for (const field of value.fields) {
    const { name: key } = field
    // A key that is a symbol of unknown text has none.
    if (
      typeof key !== 'string' ||
      key.length < 1 ||
      key.length > tagKeyLengthMax ||
      /^aws:/i.test(key)
    ) {
      throw refused(
        `a tag key must have 1 to ${tagKeyLengthMax} characters and not begin with "aws:".`,
      )
    }
    if (tags.has(key)) throw refused('a tag key stands twice in aws_tags.')
    const text = textOf(field.value)
    if (text === undefined || text.length > tagValueLengthMax) {
      throw refused(`a tag value must be a string of at most ${tagValueLengthMax} characters.`)
    }
    tags.set(key, text)
  }
  return Object.fromEntries(tags)
}

/** QLDB's examples quote with single quotes, which in Ion makes symbols. */
function textOf(value: IonValue): string | undefined {
  if (value.type === 'string') return value.value
  return value.type === 'symbol' && typeof value.text === 'string' ? value.text : undefined
}
