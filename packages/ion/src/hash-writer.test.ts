/** A value written piece by piece hashes as the same value in memory. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { hashIon, hashIonField, ionHashForm, ionHashName } from './hash.ts'
import { IonHashWriter } from './hash-writer.ts'
import { nestingDepthMax } from './limits.ts'
import { type IonValue, ionBlob, ionInt, ionList, ionString, ionStruct } from './value.ts'

const writer = new IonHashWriter()

/** Any mixture of the ways in which a piece can be written. */
const { value: values } = fc.letrec<{ value: IonValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.string({ unit: 'grapheme', maxLength: 90 }).map((text) => ionString(text)),
    fc.uint8Array({ maxLength: 90 }).map((bytes) => ionBlob(bytes)),
    fc.maxSafeNat().map((n) => ionInt(n)),
    fc.array(tie('value'), { maxLength: 4 }).map((list) => ionList(list)),
    fc
      .array(fc.record({ name: fc.string({ maxLength: 60 }), value: tie('value') }), {
        maxLength: 9,
      })
      .map((fields) => ionStruct(fields)),
  ),
}))

function write(value: IonValue): void {
  if (value.type === 'string') writer.string(value.value)
  else if (value.type === 'blob') writer.blob(value.value)
  else if (value.type === 'list') {
    writer.startList()
    for (const element of value.values) write(element)
    writer.endList()
  } else if (value.type === 'struct') {
    writer.startStruct()
    for (const [index, { name, value: of }] of value.fields.entries()) {
      const text = String(name)
      if (index % 3 === 0) {
        writer.fieldDigest(hashIonField(ionHashName(text), of))
        continue
      }
      if (index % 3 === 1) writer.startField(ionHashName(text))
      else writer.startFieldNamed(text)
      write(of)
      writer.endField()
    }
    writer.endStruct()
  } else {
    writer.form(ionHashForm(value))
  }
}

describe('IonHashWriter', () => {
  it('hashes as hashIon does', () => {
    fc.assert(
      fc.property(values, (value) => {
        writer.begin()
        write(value)
        expect(writer.finish()).toEqual(hashIon(value))
      }),
      { numRuns: 500 },
    )
  })

  it('begins anew after an error', () => {
    writer.begin()
    writer.startStruct()
    writer.startFieldNamed('a')
    expect(() => writer.string('\ud800')).toThrow('half a surrogate pair')
    writer.begin()
    writer.string('a')
    expect(writer.finish()).toEqual(hashIon(ionString('a')))
  })

  it('refuses a value that is not written to its end', () => {
    writer.begin()
    writer.startStruct()
    expect(() => writer.finish()).toThrow('all of it is written')
  })

  it('has the bound of nesting that values have', () => {
    writer.begin()
    for (let depth = 0; depth < nestingDepthMax; depth++) writer.startList()
    expect(() => writer.startList()).toThrow('nested too deeply')
    expect(() => writer.startStruct()).toThrow('nested too deeply')
  })
})
