import { describe, expect, it } from 'vitest'
import { ConflictDetector, conflictKeys } from './conflict-detector.ts'

const nothingYoung = { lastWrite: () => -1, lastUnder: () => -1 }

describe('ConflictDetector', () => {
  it('finds what changed after the snapshot, and nothing that changed before', () => {
    const detector = new ConflictDetector(nothingYoung)
    detector.noteChanges(['a'], 3)
    detector.noteChanges(['b'], 5)
    expect(detector.findConflict(['a', 'b'], 4)).toBe('b')
    expect(detector.findConflict(['a', 'b'], 5)).toBeUndefined()
  })

  it('asks who knows of documents and index keys, and takes the later change of a key', () => {
    const detector = new ConflictDetector({
      lastWrite: (documentId) => (documentId === 'D' ? 4 : -1),
      lastUnder: (keyText) => (keyText === 'I:1' ? 4 : -1),
    })
    const [document, key] = [conflictKeys.document('D'), conflictKeys.index('I:1')]
    for (const read of [document, key]) {
      expect(detector.findConflict([read], 3)).toBe(read)
      expect(detector.findConflict([read], 4)).toBeUndefined()
    }
    detector.noteChanges([key], 6)
    expect(detector.findConflict([document, key], 5)).toBe(key)
    expect(detector.findConflict([conflictKeys.document('I:1')], 3)).toBeUndefined()
  })

  it('forgets changes that no open transaction can ask for, and keeps later ones of the same key', () => {
    const detector = new ConflictDetector(nothingYoung)
    detector.noteChanges(['a'], 3)
    detector.noteChanges(['a'], 7)
    detector.prune(3)
    expect(detector.findConflict(['a'], 6)).toBe('a')
    detector.prune(7)
    expect(detector.findConflict(['a'], 6)).toBeUndefined()
  })
})
