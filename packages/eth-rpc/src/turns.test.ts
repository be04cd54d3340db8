/** Long reads: at once, in turns, no more than so many beside each other. */
import { beforeEach, describe, expect, it } from 'vitest'
import { Turns } from './turns.ts'

let nowMs = 0
let turns: Turns
beforeEach(() => {
  turns = new Turns(() => nowMs)
})

/** Each step takes a millisecond. */
function* working(stepCount: number, begin: () => void = () => undefined) {
  begin()
  for (let i = 0; i < stepCount; i++) {
    nowMs++
    yield
  }
  return stepCount
}

function* failing(stepCount: number): Generator<undefined, never> {
  yield* working(stepCount)
  throw new Error('not found')
}

describe('turns', () => {
  it('answers at once what takes a moment', () => {
    expect(turns.run(working(5))).toBe(5)
    expect(() => turns.run(failing(5))).toThrow('not found')
  })

  it('gives others the thread while something takes long', async () => {
    let turnCount = 0
    let isOver = false
    const count = () => {
      turnCount++
      if (!isOver) setImmediate(count)
    }
    setImmediate(count)
    const long = turns.run(working(60))
    const failed = Promise.resolve(turns.run(failing(20))).catch(String)
    expect(await failed).toBe('Error: not found')
    expect(await long).toBe(60)
    isOver = true
    expect(turnCount).toBeGreaterThanOrEqual(7)
  })

  it('begins a few and lets the others wait', async () => {
    let beganCount = 0
    const begin = () => {
      beganCount++
    }
    const answers = Array.from({ length: 10 }, () => turns.run(working(15, begin)))
    await new Promise((resolve) => setImmediate(resolve))
    expect(beganCount).toBe(4)
    expect(await Promise.all(answers)).toEqual(Array.from({ length: 10 }, () => 15))
  })

  it('lets no more wait than a bound', async () => {
    const answers = Array.from({ length: 1024 }, () => turns.run(working(15)))
    expect(() => turns.run(working(1))).toThrow('too many searches are waiting')
    expect(await Promise.all(answers)).toHaveLength(1024)
    expect(turns.run(working(1))).toBe(1)
  })
})
