import { BaseError, type Clock } from '@cairn/core'
import { describe, expect, it } from 'vitest'
import { createLogger, type LogFormat } from './loggers.ts'

class SampleError extends BaseError<{ readonly code: 'SAMPLE' }> {}

const clock: Clock = { nowMs: () => Date.UTC(2024, 0, 2, 3, 4, 5), sleep: () => Promise.resolve() }

function linesOf(format: LogFormat, log: (logger: ReturnType<typeof createLogger>) => void) {
  const lines: string[] = []
  log(createLogger(format, { clock, level: 'info', write: (line) => lines.push(line) }))
  return lines
}

describe('createLogger', () => {
  it('writes one JSON object per line', () => {
    const error = new SampleError({ code: 'SAMPLE' }, { shortMessage: 'It failed.' })
    const [line = ''] = linesOf('json', (logger) =>
      logger.log('warn', 'Look here.', { sequenceNo: 7n, error }),
    )
    expect(line.endsWith('\n')).toBe(true)
    expect(JSON.parse(line)).toMatchObject({
      time: '2024-01-02T03:04:05.000Z',
      level: 'warn',
      message: 'Look here.',
      sequenceNo: '7',
      error: { code: 'SAMPLE', message: 'It failed.' },
    })
  })

  it('writes a line for people', () => {
    const lines = linesOf('human', (logger) =>
      logger.log('info', 'Serving.', { api: 'http://127.0.0.1:1', count: 3, none: undefined }),
    )
    expect(lines).toEqual(['03:04:05 info  Serving. (api http://127.0.0.1:1, count 3)\n'])
  })

  it('drops what is below its level', () => {
    expect(linesOf('json', (logger) => logger.log('debug', 'Detail.'))).toEqual([])
  })
})
