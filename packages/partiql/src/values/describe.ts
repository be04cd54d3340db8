/** Words for messages. */
import type { Value } from './value.ts'

/** `an int`, `a string`, `NULL`, `MISSING`. */
export function describeValue(value: Value): string {
  if (value.type === 'null' || value.type === 'missing') return value.type.toUpperCase()
  return withArticle(value.type)
}

export function withArticle(noun: string): string {
  return `${/^[aeiou]/.test(noun) ? 'an' : 'a'} ${noun}`
}

/** `1 element`, `2 elements`. */
export function counted(count: number | string, noun: string): string {
  return `${count} ${noun}${`${count}` === '1' ? '' : 's'}`
}
