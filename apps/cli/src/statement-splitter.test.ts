import { describe, expect, it } from 'vitest'
import { hasContent, splitStatements } from './statement-splitter.ts'

describe('splitStatements', () => {
  it('cuts at semicolons and keeps what is not finished', () => {
    expect(splitStatements('a;\n b ; c')).toEqual({ statements: ['a', 'b'], rest: ' c' })
  })

  it('leaves out statements of nothing but space and comments', () => {
    expect(splitStatements(';; -- x\n; /* y; */ ;').statements).toEqual([])
  })

  it.each([
    ["a ';' b"],
    ["a 'it''s; fine' b"],
    ['a ";" b'],
    ['a `{x: ";", y: \'q;\'}` b'],
    ['a `"\\"; `"` b'],
    ["a `'''long ; ` text'''` b"],
    ['a -- c ; d\n b'],
    ['a /* ; \n ; */ b'],
  ])('does not cut within %s', (statement) => {
    expect(splitStatements(`${statement};`)).toEqual({ statements: [statement], rest: '' })
  })

  it.each(["a ';", 'a `{x: ";`;', 'a /* ;', '`"x`;'])('waits for the end of %s', (text) => {
    expect(splitStatements(text)).toEqual({ statements: [], rest: text })
  })
})

describe('hasContent', () => {
  it('tells statements from space and comments', () => {
    expect(hasContent(' \n-- a\n/* b */ ')).toBe(false)
    expect(hasContent('/* b */ x')).toBe(true)
  })
})
