import { describe, expect, it } from 'vitest'
import { Overlay } from './overlay.ts'
import { indexKeyText, Revision } from './revision.ts'

const key = Uint8Array.of(1)
const keyText = indexKeyText('I', key)

function revision(documentId: string, version: number, sequenceNo: number): Revision {
  return Revision.of({
    documentId,
    version,
    sequenceNo,
    ordinal: 0,
    transactionTimeMs: sequenceNo,
    transactionId: '0007KbqoyqAIch6XRbQ4iA',
    hash: new Uint8Array(32),
    data: new Uint8Array(1),
  })
}

describe('Overlay', () => {
  it('finds the newest revision that a snapshot may see, in its own table only', () => {
    const overlay = new Overlay()
    for (const [version, sequenceNo] of [5, 7, 9].entries()) {
      overlay.add('T', revision('D', version, sequenceNo), [])
    }
    expect(overlay.find('T', 'D', 4)).toBeUndefined()
    expect(overlay.find('T', 'D', 7)?.version).toBe(1)
    expect(overlay.find('T', 'D', 100)?.version).toBe(2)
    expect(overlay.find('U', 'D', 100)).toBeUndefined()
    expect(overlay.inserted('T', 4, 5)).toEqual(['D'])
    expect(overlay.inserted('T', 5, 100)).toEqual([])
  })

  it('keeps a document under a key that it left and came back to', () => {
    const overlay = new Overlay()
    const change = { indexNo: 1, indexId: 'I', oldKey: undefined, newKey: key }
    overlay.add('T', revision('D', 0, 5), [change])
    overlay.add('T', revision('D', 1, 6), [{ ...change, oldKey: key, newKey: undefined }])
    overlay.add('T', revision('D', 2, 9), [change])
    expect(overlay.lastUnder(keyText)).toBe(9)
    overlay.prune(6)
    expect(overlay.findByIndex(keyText, 6)).toEqual(['D'])
    overlay.prune(9)
    expect(overlay.findByIndex(keyText, 6)).toEqual([])
    expect(overlay.lastUnder(keyText)).toBe(-1)
    expect(overlay.count).toBe(0)
  })

  it('says which block wrote a document last, and which brought one under a key last', () => {
    const overlay = new Overlay()
    const change = { indexNo: 1, indexId: 'I', oldKey: undefined, newKey: key }
    overlay.add('T', revision('D', 0, 5), [change])
    overlay.add('T', revision('E', 0, 7), [change])
    overlay.add('T', revision('D', 1, 8), [])
    expect([overlay.lastWrite('D'), overlay.lastWrite('E')]).toEqual([8, 7])
    expect([overlay.lastWrite('F'), overlay.lastUnder('I:')]).toEqual([-1, -1])
    expect(overlay.lastUnder(keyText)).toBe(7)
    overlay.prune(7)
    expect([overlay.lastWrite('D'), overlay.lastWrite('E')]).toEqual([8, -1])
    expect(overlay.lastUnder(keyText)).toBe(-1)
  })

  it('forgets inserted documents block by block, thousands of them', () => {
    const overlay = new Overlay()
    const idsOf = (from: number, to: number) =>
      Array.from({ length: 1000 * (to - from + 1) }, (_, i) => `D${1000 * (from - 1) + i}`)
    for (const [i, documentId] of idsOf(1, 5).entries()) {
      overlay.add('T', revision(documentId, 0, 1 + Math.floor(i / 1000)), [])
    }
    expect(overlay.inserted('T', 0, 5)).toEqual(idsOf(1, 5))
    for (let pruned = 1; pruned < 5; pruned++) {
      overlay.prune(pruned)
      expect(overlay.inserted('T', 0, 5)).toEqual(idsOf(pruned + 1, 5))
      expect(overlay.inserted('T', pruned + 1, 5)).toEqual(idsOf(pruned + 1, 5).slice(1000))
    }
    overlay.prune(5)
    expect(overlay.inserted('T', 0, 5)).toEqual([])
  })
})
