/**
 * Folders with little room or none to write, for tests of what a server does then: file systems in a namespace of
 * mounts, which also a plain user may have where user namespaces are allowed.
 */
import { spawnSync } from 'node:child_process'

/** Options of unshare(1) that give mounts here: as root, or as root of a namespace of one's own. */
const ways: readonly (readonly string[])[] = [['-m'], ['-U', '-r', '-m']]

/** The command line that runs what follows in a namespace of mounts; undefined where none can be had. */
export function mountNamespace(): readonly string[] | undefined {
  const mount = 'mount -t tmpfs -o size=1m tmpfs /mnt'
  const way = ways.find((each) => spawnSync('unshare', [...each, 'sh', '-c', mount]).status === 0)
  return way === undefined ? undefined : ['unshare', ...way]
}

/** A command line that mounts an empty file system of `sizeMb` at `path`, then runs what follows. */
export function withTmpfs(
  namespace: readonly string[],
  path: string,
  sizeMb: number,
): readonly string[] {
  const script = `mount -t tmpfs -o size=${sizeMb}m tmpfs "$0" && exec "$@"`
  return [...namespace, 'sh', '-c', script, path]
}

/** A command line that makes `path` read-only, also for root, then runs what follows. */
export function withReadOnly(namespace: readonly string[], path: string): readonly string[] {
  const script = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"'
  return [...namespace, 'sh', '-c', script, path]
}
