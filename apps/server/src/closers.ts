/** What was opened so far, to be closed in reverse. */
export type Closers = (() => Promise<void>)[]

/** Last opened, first closed; each gets its turn even when another one fails. */
export async function closeAll(closers: Closers): Promise<void> {
  let failure: { readonly error: unknown } | undefined
  for (let close = closers.pop(); close !== undefined; close = closers.pop()) {
    try {
      await close()
    } catch (error) {
      failure ??= { error }
    }
  }
  if (failure !== undefined) throw failure.error
}
