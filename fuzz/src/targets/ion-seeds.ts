/** Seeds and tokens of the Ion targets: the texts of our tests, one of each type, and their binary forms. */
import { encodeIonAll, parseIonAll } from '@cairn/ion'
import { inputOfText } from '../target.ts'

const texts = [
  'null null.int null.struct true false',
  '0 -1 123456789012345678901234567890 0x1F 0b1010 1_000',
  '1.5 -0. 1d-400 123d5 0.001 -0d3 1e0 -1.5e-7 nan +inf -inf',
  '2020T 2020-02T 2020-02-29 2020-02-29T12:34Z 2020-02-29T12:34:56.789-08:00 1969-12-31T23:59:59.999999Z',
  "'quoted symbol' bare $4 $0 \"text \\n \\u00e9 \\U0001F642\" '''long ''' '''text'''",
  "{{ \"clob \\x41\" }} {{ aGVsbG8= }} {{ '''long clob''' }}",
  '[1, [2, [3]], []] (a + b .. (c)) {a: 1, b: {c: [d, e::f]}, a: 2}',
  'a::b::{c: d::1} $ion_1_0 /* comment */ 5 // line\n6',
  '$ion_symbol_table::{symbols: ["one", "two"]} $10 $11 {$10: $11}',
  '$ion_symbol_table::{imports: [{name: "t", version: 1, max_id: 5}], symbols: ["x"]} $15',
  '$ion_symbol_table::{imports: $ion_symbol_table, symbols: ["more"]} $10',
  '{VIN: "1N4AL11D75C109151", Type: "Sedan", Year: 2011, Price: 12.50, Sold: 2019-11-01T}',
  '{Owners: {PrimaryOwner: {PersonId: "p1"}, SecondaryOwners: [{PersonId: "p2"}]}, ValidTo: null}',
]

export const ionTexts: readonly string[] = texts

export const ionTextTokens: readonly Uint8Array[] = [
  ...['{', '}', '[', ']', '(', ')', '{{', '}}', '"', "'", "'''", '::', ':', ',', '.', '+', '-'],
  ...['/*', '*/', '//', '\\', '\\x', '\\u', '\\U0010FFFF', '\\ud800', '\\\n', '\n', '\r\n', '\0'],
  ...['null', 'null.', 'null.int', 'true', 'nan', '+inf', '$0', '$10', '$99999999999999999999'],
  ...['$ion_1_0', '$ion_1_1', '$ion_symbol_table::', 'imports:', 'symbols:', 'max_id:', '2020T'],
  ...['0x', '0b', 'e', 'd', '_', '-00:00', 'T12:34', 'Z', '.999', 'é', '\u2028', '\ufeff'],
].map(inputOfText)

export const binaryIonTokens: readonly Uint8Array[] = [
  [0xe0, 0x01, 0x00, 0xea],
  [0xe0, 0x01, 0x01, 0xea],
  [0x0f],
  [0x1f, 0x10, 0x11],
  [0x0e, 0x80],
  [0x8e, 0xff],
  [0xbe, 0x7f, 0xff],
  [0xde, 0x01, 0x00, 0x80],
  [0xd1, 0x82, 0x84, 0x20],
  [0xe3, 0x81, 0x83, 0xd0],
  [0xe5, 0x81, 0x83, 0xd2, 0x87, 0xb0],
  [0xe7, 0x81, 0x83, 0xd4, 0x86, 0x71, 0x03, 0x0f],
  [0x88, 0x24, 0x7f, 0xff, 0xff, 0xff],
  [0x71, 0x02],
  [0x52, 0xc1, 0x80],
  [0x53, 0xc1, 0x00, 0x01],
  [0x69, 0x80, 0x0f, 0xd0, 0x81, 0x81, 0x80, 0x80, 0x80, 0xc3],
  [0x44, 0x7f, 0xc0, 0x00, 0x00],
  [0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0xff],
  [0xed, 0xa0, 0x80],
  [0xf4, 0x8f, 0xbf, 0xbf],
].map((bytes) => Uint8Array.from(bytes))

export function binaryIonSeeds(): Uint8Array[] {
  return texts.map((text) => encodeIonAll(parseIonAll(text)))
}
