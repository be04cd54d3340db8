/** XML answers of the S3, STS and IAM APIs. Written only: requests that carry XML are not read here. */

export type XmlValue = string | number | boolean | undefined | readonly XmlValue[] | XmlElements
export interface XmlElements {
  readonly [name: string]: XmlValue
}

export const xmlContentType = 'application/xml'

/** @param namespace Of the document's root. */
export function xmlDocument(root: string, content: XmlElements, namespace?: string): string {
  const attribute = namespace === undefined ? '' : ` xmlns="${escapeXml(namespace)}"`
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${root}${attribute}>${inner(content)}</${root}>`
}

/** Lists repeat their element; undefined ones are left out. */
function element(name: string, value: XmlValue): string {
  if (value === undefined) return ''
  if (Array.isArray(value)) return value.map((each: XmlValue) => element(name, each)).join('')
  const content = typeof value === 'object' ? inner(value as XmlElements) : escapeXml(String(value))
  return `<${name}>${content}</${name}>`
}

function inner(elements: XmlElements): string {
  return Object.entries(elements)
    .map(([name, value]) => element(name, value))
    .join('')
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
}

/** What XML 1.0 cannot hold becomes U+FFFD; line ends are kept from being normalised. */
function escapeXml(text: string): string {
  return text
    .replace(/[&<>"']/g, (character) => entities[character] as string)
    .replace(/\r/g, '&#13;')
    .replace(/[^\t\n\u0020-\ud7ff\ue000-\ufffd]|[\ud800-\udfff]/gu, (character) =>
      (character.codePointAt(0) as number) > 0xffff ? character : '\ufffd',
    )
}
