/** Who asks, and whether they may: what every service asks before it does anything. Policies implement `Authorizer`. */

export interface Identity {
  /** The access key id of a verified signature, or `anonymous` where authentication is off. */
  readonly principal: string
  readonly isAuthenticated: boolean
}

export const anonymous: Identity = { principal: 'anonymous', isAuthenticated: false }

export interface Authorizer {
  /**
   * Called for every request, so it answers from memory.
   * @param action Such as `qldb:SendCommand`.
   * @param resource The ARN of the ledger or table, or `*` where the action names none.
   */
  isAllowed(identity: Identity, action: string, resource: string): boolean
}

export const allowAll: Authorizer = { isAllowed: () => true }
