import { describe, expect, it } from 'vitest'
import { ConflictDetector } from './conflict-detector.ts'

describe('ConflictDetector', () => {
  it('finds what changed after the snapshot, and nothing that changed before', () => {
    const detector = new ConflictDetector()
    detector.noteChanges(['a'], 3)
    detector.noteChanges(['b'], 5)
    expect(detector.findConflict(['a', 'b'], 4)).toBe('b')
    expect(detector.findConflict(['a', 'b'], 5)).toBeUndefined()
  })

  it('forgets changes that no open transaction can ask for, and keeps later ones of the same key', () => {
    const detector = new ConflictDetector()
    detector.noteChanges(['a'], 3)
    detector.noteChanges(['a'], 7)
    detector.prune(3)
    expect(detector.findConflict(['a'], 6)).toBe('a')
    detector.prune(7)
    expect(detector.findConflict(['a'], 6)).toBeUndefined()
  })
})
