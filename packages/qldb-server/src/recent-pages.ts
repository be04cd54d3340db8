/**
 * Pages fetched lately, by their tokens, for clients that did not get the answer and ask again: a token holds until
 * its transaction ends (qldb-compat 1.4), and results are read forwards only. The oldest go first.
 */

export class RecentPages {
  readonly #lengthMax: number
  /** The oldest first. */
  readonly #answers = new Map<string, string>()
  #length = 0

  constructor(lengthMax: number) {
    this.#lengthMax = lengthMax
  }

  remember(pageToken: string, answer: string): void {
    this.#answers.set(pageToken, answer)
    this.#length += answer.length
    for (const [oldest, { length }] of this.#answers) {
      if (this.#length <= this.#lengthMax) return
      this.#answers.delete(oldest)
      this.#length -= length
    }
  }

  get(pageToken: string): string | undefined {
    return this.#answers.get(pageToken)
  }
}
