/** Tables of text for people: headings, a rule, aligned columns. Control characters are shown, never sent. */

export interface Column {
  readonly name: string
  readonly align?: 'left' | 'right'
}

/** @param rows Cells in the order of the columns. */
export function formatTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
): string {
  const cells = rows.map((row) => row.map(visible))
  const widths = columns.map(({ name }, index) =>
    Math.max(width(visible(name)), ...cells.map((row) => width(row[index] ?? ''))),
  )
  const line = (row: readonly string[], alignments: readonly Column['align'][]): string =>
    row
      .map((cell, index) => {
        const gap = ' '.repeat((widths[index] ?? 0) - width(cell))
        return alignments[index] === 'right' ? gap + cell : cell + gap
      })
      .join('  ')
      .trimEnd()
  const alignments = columns.map(({ align }) => align)
  return [
    line(
      columns.map(({ name }) => visible(name)),
      alignments,
    ),
    widths.map((each) => '-'.repeat(each)).join('  '),
    ...cells.map((row) => line(row, alignments)),
  ].join('\n')
}

/** Characters that a terminal would act on, as escapes: a document must not clear the screen of who reads it. */
export function visible(text: string): string {
  return text.replace(/\p{Cc}|\p{Zl}|\p{Zp}|\p{Bidi_Control}/gu, (each) => {
    if (each === '\n') return '\\n'
    if (each === '\t') return '\\t'
    return `\\u${each.charCodeAt(0).toString(16).padStart(4, '0')}`
  })
}

// Unicode Standard Annex 11: the ranges that are wide in every font, by blocks and not by single characters.
const wide =
  /\p{Emoji_Presentation}|[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]/u

/** Columns on the screen: two for East Asian wide characters and emoji, none for combining marks. */
function width(text: string): number {
  let columns = 0
  for (const character of text) {
    if (/\p{Mn}|\p{Me}|\p{Cf}/u.test(character)) continue
    columns += wide.test(character) ? 2 : 1
  }
  return columns
}
