/**
 * Roles and policies that clients create, in one file. They are kept and shown, and grant nothing: who may do what is
 * decided by the policies of access keys.
 */
import { type FileSystem, fromUtf8, type Random, utf8 } from '@cairn/core'
import { localError } from './errors.ts'

export interface Role {
  readonly name: string
  readonly path: string
  readonly id: string
  readonly createdMs: number
  /** JSON, as it was given. */
  readonly assumeRolePolicy: string
  readonly description: string | undefined
  /** ARNs. */
  readonly policies: readonly string[]
}

export interface Policy {
  readonly name: string
  readonly path: string
  readonly id: string
  readonly createdMs: number
  /** JSON, as it was given. */
  readonly document: string
  readonly description: string | undefined
}

interface Content {
  readonly roles: readonly Role[]
  readonly policies: readonly Policy[]
}

/** Source: IAM user guide, "IAM and STS quotas": roles per account. */
const entityCountMax = 1000
/** Source: the same: managed policies attached to a role, at most. */
const attachedCountMax = 20
const fileMode = 0o600

export class IamStore {
  readonly #files: FileSystem
  readonly #path: string
  readonly #random: Random
  #content: Content
  #writing: Promise<void> = Promise.resolve()

  private constructor(files: FileSystem, path: string, random: Random, content: Content) {
    this.#files = files
    this.#path = path
    this.#random = random
    this.#content = content
  }

  static async open(files: FileSystem, path: string, random: Random): Promise<IamStore> {
    const content = (await files.exists(path))
      ? (JSON.parse(fromUtf8(await files.readFile(path))) as Content)
      : { roles: [], policies: [] }
    return new IamStore(files, path, random, content)
  }

  /** @throws AwsLocalError ENTITY_NOT_FOUND */
  role(name: string): Role {
    const role = this.#content.roles.find((each) => each.name === name)
    if (role !== undefined) return role
    throw localError(
      { code: 'ENTITY_NOT_FOUND', name },
      `The role with name ${name} cannot be found.`,
    )
  }

  policyAttachmentCount(arn: string): number {
    return this.#content.roles.filter(({ policies }) => policies.includes(arn)).length
  }

  /** @throws AwsLocalError ENTITY_EXISTS, ENTITY_LIMIT_EXCEEDED */
  createRole(role: Omit<Role, 'id' | 'policies'>): Promise<Role> {
    return this.#change((content) => {
      checkNew(content.roles, role.name, `Role with name ${role.name} already exists.`)
      const made = { ...role, id: this.#newId('AROA'), policies: [] }
      return [{ ...content, roles: [...content.roles, made] }, made]
    })
  }

  /** @throws AwsLocalError ENTITY_EXISTS, ENTITY_LIMIT_EXCEEDED */
  createPolicy(policy: Omit<Policy, 'id'>): Promise<Policy> {
    return this.#change((content) => {
      checkNew(content.policies, policy.name, `A policy called ${policy.name} already exists.`)
      const made = { ...policy, id: this.#newId('ANPA') }
      return [{ ...content, policies: [...content.policies, made] }, made]
    })
  }

  /** Attaching twice is attaching once. @throws AwsLocalError ENTITY_NOT_FOUND, ENTITY_LIMIT_EXCEEDED */
  attachPolicy(roleName: string, arn: string, isKnown: (policy: Policy) => boolean): Promise<void> {
    return this.#change((content) => {
      const role = this.role(roleName)
      // Policies of AWS itself are taken by their names.
      if (!arn.startsWith('arn:aws:iam::aws:') && !content.policies.some(isKnown)) {
        throw localError({ code: 'ENTITY_NOT_FOUND', name: arn }, `Policy ${arn} does not exist.`)
      }
      if (role.policies.includes(arn)) return [content, undefined]
      if (role.policies.length >= attachedCountMax) throw tooMany(attachedCountMax)
      const changed = { ...role, policies: [...role.policies, arn] }
      const roles = content.roles.map((each) => (each === role ? changed : each))
      return [{ ...content, roles }, undefined]
    })
  }

  /** One change after the other, each on the disk before it is seen. */
  #change<T>(change: (content: Content) => [Content, T]): Promise<T> {
    const done = this.#writing.then(async () => {
      const [content, answer] = change(this.#content)
      if (content !== this.#content) {
        const text = `${JSON.stringify(content, undefined, 2)}\n`
        await this.#files.writeFileAtomic(this.#path, utf8(text), fileMode)
        this.#content = content
      }
      return answer
    })
    this.#writing = done.then(
      () => undefined,
      () => undefined,
    )
    return done
  }

  #newId(prefix: string): string {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
    let id = prefix
    for (const byte of this.#random.bytes(17)) id += alphabet.charAt(byte & 31)
    return id
  }
}

function checkNew(entities: readonly { name: string }[], name: string, message: string): void {
  // Names differ by more than their case. Source: IAM API reference, CreateRole.
  const lower = name.toLowerCase()
  if (entities.some((each) => each.name.toLowerCase() === lower)) {
    throw localError({ code: 'ENTITY_EXISTS', name }, message)
  }
  if (entities.length >= entityCountMax) throw tooMany(entityCountMax)
}

function tooMany(countMax: number) {
  return localError(
    { code: 'ENTITY_LIMIT_EXCEEDED', countMax },
    `There may be ${countMax} of them, which is the limit.`,
  )
}
