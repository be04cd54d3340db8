/** `cairn doctor`: what ails a data folder, and what to do. */
import { resolve } from 'node:path'
import { type Command, exitDone, exitFailed, jsonOption } from '../command.ts'
import { type DoctorFinding, examine } from '../doctor.ts'
import { defaultDataDirectory } from '../endpoint.ts'
import { createProgress } from '../progress.ts'
import { print } from '../terminal.ts'

export const doctorCommand: Command = {
  path: ['doctor'],
  summary: 'Examine a data folder: what is wrong with it, and what to do',
  options: [
    { name: 'data-dir', value: 'DIR', help: 'the data folder (default: ./data)' },
    jsonOption,
  ],
  positionals: [],
  examples: ['cairn doctor', 'cairn doctor --data-dir /var/lib/cairn --json'],
  notes: [
    'Looked at: permissions, room on the disk, locks, certificates, and every byte of the journals.\n' +
      'Nothing is changed, and the server may be running. Exit code 1 when something must be done.',
    'Whether the blocks say what they said when a digest was kept: cairn verify ledger.',
  ],
  async run({ args, terminal }) {
    const progress = createProgress(terminal)
    let findings: DoctorFinding[]
    try {
      findings = await examine({
        directory: resolve(args.text('data-dir') ?? defaultDataDirectory),
        clock: terminal.clock,
        onProgress: (text) => progress.update(text),
      })
    } finally {
      progress.end()
    }
    const problemCount = findings.filter(({ level }) => level === 'problem').length
    if (args.flag('json')) {
      print(terminal, JSON.stringify({ isHealthy: problemCount === 0, findings }))
    } else {
      for (const finding of findings) print(terminal, findingText(finding))
      print(
        terminal,
        problemCount === 0 ? 'Healthy.' : `${problemCount} to be dealt with, marked with an x.`,
      )
    }
    return problemCount === 0 ? exitDone : exitFailed
  },
}

const marks = { ok: ' ', note: '-', problem: 'x' } as const

function findingText({ level, subject, text, remedy }: DoctorFinding): string {
  const first = `${marks[level]} ${subject}: ${text}`
  return remedy === '' ? first : `${first}\n    ${remedy}`
}
