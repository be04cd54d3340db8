/** Ion hash of a value in memory. Spec: Ion Hash 1.0. Hash of a binary stream without values: hash-binary.ts. */
import { writeDecimalBody, writeTimestampBody } from './binary-writer.ts'
import { ByteSink } from './byte-sink.ts'
import { valueError } from './errors.ts'
import type { HashSink } from './hash-sink.ts'
import { checkDepth } from './limits.ts'
import type { IonStruct, IonType, IonValue } from './value.ts'

const nullQualifiers: Readonly<Record<IonType, number>> = {
  null: 0x0f,
  bool: 0x1f,
  int: 0x2f,
  float: 0x4f,
  decimal: 0x5f,
  timestamp: 0x6f,
  symbol: 0x7f,
  string: 0x8f,
  clob: 0x9f,
  blob: 0xaf,
  list: 0xbf,
  sexp: 0xcf,
  struct: 0xdf,
}
/** Holds one representation before it is escaped. Written and read without anything between. */
const body = new ByteSink()

/** Writes the serialised form of `value`; `depth` counts the containers around it. */
export function serializeValue(value: IonValue, out: HashSink, depth: number): void {
  if (value.annotations.length === 0) {
    serializePlain(value, out, depth)
    return
  }
  out.begin(0xe0)
  for (const annotation of value.annotations) out.writeSymbol(annotation)
  serializePlain(value, out, depth)
  out.end()
}

function serializePlain(value: IonValue, out: HashSink, depth: number): void {
  if (value.type === 'symbol') {
    out.writeSymbol(value.text)
    return
  }
  switch (value.type) {
    case 'null':
      out.begin(nullQualifiers[value.of])
      break
    case 'bool':
      out.begin(value.value ? 0x11 : 0x10)
      break
    case 'int':
      out.begin(value.value < 0 ? 0x30 : 0x20)
      body.reset()
      body.writeMagnitude(value.value)
      writeBody(out)
      break
    case 'float':
      out.begin(0x40)
      writeFloat(value.value, out)
      break
    case 'decimal':
      out.begin(0x50)
      body.reset()
      writeDecimalBody(body, value)
      writeBody(out)
      break
    case 'timestamp':
      out.begin(0x60)
      body.reset()
      writeTimestampBody(body, value)
      writeBody(out)
      break
    case 'string':
      out.begin(0x80)
      out.writeEscapedText(value.value)
      break
    case 'clob':
    case 'blob':
      out.begin(value.type === 'clob' ? 0x90 : 0xa0)
      out.writeEscaped(value.value, 0, value.value.length)
      break
    case 'list':
    case 'sexp':
      checkDepth(depth + 1)
      out.begin(value.type === 'list' ? 0xb0 : 0xc0)
      for (const element of value.values) serializeValue(element, out, depth + 1)
      break
    case 'struct':
      checkDepth(depth + 1)
      serializeFields(value, out, depth + 1)
      break
    default:
      throw valueError('it has no Ion type')
  }
  out.end()
}

function serializeFields(struct: IonStruct, out: HashSink, depth: number): void {
  out.begin(0xd0)
  out.openStruct()
  for (const field of struct.fields) {
    const start = out.openField()
    out.writeSymbol(field.name)
    serializeValue(field.value, out, depth)
    out.closeField(start)
  }
  out.closeStruct()
}

function writeBody(out: HashSink): void {
  out.writeEscaped(body.bytes, 0, body.size)
}

const floatView = new DataView(new ArrayBuffer(8))
const floatBytes = new Uint8Array(floatView.buffer)

/** The 64 bits of a float, escaped; nothing for 0e0, one form for every NaN. */
export function writeFloat(value: number, out: HashSink): void {
  if (Object.is(value, 0)) return
  if (Number.isNaN(value)) {
    floatView.setUint32(0, 0x7ff8_0000)
    floatView.setUint32(4, 0)
  } else {
    floatView.setFloat64(0, value)
  }
  out.writeEscaped(floatBytes, 0, 8)
}
