/** What every FileSystem does, as cases that a test runs against each implementation. No test runner in here. */
import assert from 'node:assert/strict'
import { type FileSystem, utf8 } from '@cairn/core'

export interface FileSystemCase {
  readonly name: string
  /** @param directory Exists and is empty. */
  run(fileSystem: FileSystem, directory: string): Promise<void>
}

export const fileSystemCases: readonly FileSystemCase[] = [
  {
    name: 'writes at a position and reads it back',
    async run(fileSystem, directory) {
      const file = await fileSystem.open(`${directory}/a`, 'create')
      await file.write(utf8('hello'), 3)
      assert.equal(file.sizeSync(), 8)
      assert.deepEqual(read(file, 0, 8), utf8('\0\0\0hello'))
      await file.write(utf8('J'), 3)
      await file.syncData()
      assert.deepEqual(read(file, 2, 4), utf8('\0Jel'))
      await file.close()
    },
  },
  {
    name: 'reads fewer bytes only at the end of the file',
    async run(fileSystem, directory) {
      const file = await fileSystem.open(`${directory}/a`, 'create')
      await file.write(utf8('hello'), 0)
      assert.deepEqual(read(file, 3, 10), utf8('lo'))
      assert.deepEqual(read(file, 5, 10), utf8(''))
      assert.deepEqual(read(file, 50, 10), utf8(''))
      await file.close()
    },
  },
  {
    name: 'takes writes to different places at the same time',
    async run(fileSystem, directory) {
      const file = await fileSystem.open(`${directory}/a`, 'create')
      const large = new Uint8Array(300_000).fill(7)
      await Promise.all([file.write(large, 0), file.write(utf8('tail'), large.length)])
      assert.equal(file.sizeSync(), large.length + 4)
      assert.deepEqual(read(file, large.length - 1, 5), utf8('\u0007tail'))
      await file.close()
    },
  },
  {
    name: 'truncates, and fills with zeros what grows again',
    async run(fileSystem, directory) {
      const file = await fileSystem.open(`${directory}/a`, 'create')
      await file.write(utf8('hello'), 0)
      await file.truncate(2)
      assert.equal(file.sizeSync(), 2)
      await file.truncate(4)
      assert.deepEqual(read(file, 0, 10), utf8('he\0\0'))
      await file.close()
    },
  },
  {
    name: 'creates only what is not there and opens only what is',
    async run(fileSystem, directory) {
      await assert.rejects(fileSystem.open(`${directory}/a`, 'read'), { code: 'ENOENT' })
      await assert.rejects(fileSystem.open(`${directory}/a`, 'readWrite'), { code: 'ENOENT' })
      await assert.rejects(fileSystem.open(`${directory}/no/a`, 'create'), { code: 'ENOENT' })
      await (await fileSystem.open(`${directory}/a`, 'create')).close()
      await assert.rejects(fileSystem.open(`${directory}/a`, 'create'), { code: 'EEXIST' })
      const file = await fileSystem.open(`${directory}/a`, 'read')
      await assert.rejects(file.write(utf8('x'), 0))
      await file.close()
    },
  },
  {
    name: 'lists, renames over, removes files and folders',
    async run(fileSystem, directory) {
      await fileSystem.makeDirectory(`${directory}/one/two`)
      await fileSystem.makeDirectory(`${directory}/one/two`)
      await fileSystem.writeFileAtomic(`${directory}/one/two/b`, utf8('b'))
      await fileSystem.writeFileAtomic(`${directory}/a`, utf8('a'))
      assert.deepEqual((await fileSystem.list(directory)).sort(), ['a', 'one'])
      await fileSystem.rename(`${directory}/a`, `${directory}/one/two/b`)
      await fileSystem.syncDirectory(directory)
      assert.deepEqual(await fileSystem.readFile(`${directory}/one/two/b`), utf8('a'))
      assert.equal(await fileSystem.exists(`${directory}/a`), false)
      assert.equal(await fileSystem.exists(`${directory}/one/two`), true)
      await fileSystem.makeDirectory(`${directory}/two`)
      await assert.rejects(fileSystem.rename(`${directory}/two`, `${directory}/one`), {
        code: 'ENOTEMPTY',
      })
      await fileSystem.remove(`${directory}/two`)
      await fileSystem.remove(`${directory}/one`)
      assert.deepEqual(await fileSystem.list(directory), [])
      await assert.rejects(fileSystem.remove(`${directory}/one`), { code: 'ENOENT' })
      await assert.rejects(fileSystem.rename(`${directory}/x`, `${directory}/y`), {
        code: 'ENOENT',
      })
      await assert.rejects(fileSystem.list(`${directory}/one`), { code: 'ENOENT' })
      await assert.rejects(fileSystem.readFile(`${directory}/one`), { code: 'ENOENT' })
    },
  },
  {
    name: 'keeps an open file when its name changes or goes',
    async run(fileSystem, directory) {
      const file = await fileSystem.open(`${directory}/a`, 'create')
      await fileSystem.rename(`${directory}/a`, `${directory}/b`)
      await file.write(utf8('hello'), 0)
      assert.deepEqual(await fileSystem.readFile(`${directory}/b`), utf8('hello'))
      await fileSystem.remove(`${directory}/b`)
      assert.deepEqual(read(file, 0, 5), utf8('hello'))
      await file.close()
    },
  },
  {
    name: 'replaces a file whole and leaves nothing beside it',
    async run(fileSystem, directory) {
      await fileSystem.writeFileAtomic(`${directory}/a`, utf8('long content'))
      await fileSystem.writeFileAtomic(`${directory}/a`, utf8('short'), 0o600)
      const bytes = await fileSystem.readFile(`${directory}/a`)
      assert.deepEqual(bytes, utf8('short'))
      assert.equal(bytes.constructor, Uint8Array)
      assert.deepEqual(await fileSystem.list(directory), ['a'])
      await assert.rejects(fileSystem.writeFileAtomic(`${directory}/no/a`, utf8('x')))
    },
  },
  {
    name: 'refuses a closed file',
    async run(fileSystem, directory) {
      const file = await fileSystem.open(`${directory}/a`, 'create')
      await file.close()
      assert.throws(() => read(file, 0, 1), { code: 'EBADF' })
      await assert.rejects(file.syncData(), { code: 'EBADF' })
    },
  },
]

function read(
  file: { readSync(buffer: Uint8Array, position: number): number },
  position: number,
  size: number,
): Uint8Array {
  const buffer = new Uint8Array(size)
  return buffer.slice(0, file.readSync(buffer, position))
}
