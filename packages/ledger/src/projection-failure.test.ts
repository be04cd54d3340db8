import { describe, expect, it } from 'vitest'
import { projectionFailed } from './projection-failure.ts'

describe('projectionFailed', () => {
  it("tells LMDB's cause, which comes later, and what to do", async () => {
    const cause = new Error('No space left on device')
    let reject: (reason: unknown) => void = () => undefined
    const commitError = new Promise((_, no) => {
      reject = no
    })
    const error = Object.assign(new Error('Commit failed (see commitError)'), { commitError })
    const failed = projectionFailed('data/projection', error)
    setImmediate(() => reject(cause))
    expect(await failed).toMatchObject({ code: 'PROJECTION_FAILED', cause })
    expect((await failed).message).toContain('Cause: No space left on device')
    expect((await failed).message).toContain('start again')
  })

  it('does not wait for a cause that never comes', async () => {
    const commitError = new Promise(() => undefined)
    const error = Object.assign(new Error('Commit failed'), { commitError })
    expect((await projectionFailed('d', error)).message).toContain('Cause: Commit failed')
    expect((await projectionFailed('d', 'text')).message).toContain('Cause: text')
  })
})
