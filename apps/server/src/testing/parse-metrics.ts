/**
 * A strict reader of Prometheus' text format 0.0.4, for tests: throws where a scraper might be lenient. Also holds
 * histograms to what they must be: buckets that rise, a last one without a bound, which is the count.
 */

export interface ParsedFamily {
  readonly type: string
  readonly help: string
  /** By name and labels as they stand, such as `a_bucket{le="1"}`. */
  readonly samples: Map<string, number>
}

const samplePattern =
  /^([a-zA-Z_:][\w:]*)(\{[a-zA-Z_]\w*="(?:[^"\\\n]|\\[\\"n])*"(?:,[a-zA-Z_]\w*="(?:[^"\\\n]|\\[\\"n])*")*\})? (\S+)$/
const numberPattern = /^(?:[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?|[+-]Inf|NaN)$/

export function parseMetrics(text: string): Map<string, ParsedFamily> {
  const families = new Map<string, ParsedFamily>()
  if (text !== '' && !text.endsWith('\n')) throw new Error('the last line does not end')
  const lines = text.split('\n').slice(0, -1)
  let name = ''
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i] as string
    const help = /^# HELP (\S+) (.+)$/.exec(line)
    if (help !== null) {
      name = help[1] as string
      const type = /^# TYPE (\S+) (counter|gauge|histogram)$/.exec(lines[++i] ?? '')
      if (type?.[1] !== name) throw new Error(`no TYPE behind ${line}`)
      if (families.has(name)) throw new Error(`${name} comes twice`)
      families.set(name, { type: type[2] as string, help: help[2] as string, samples: new Map() })
      continue
    }
    const sample = samplePattern.exec(line)
    const family = families.get(name)
    if (sample === null || family === undefined) throw new Error(`no sample: ${line}`)
    const [, sampleName = '', labels = '', value = ''] = sample
    const suffixes = family.type === 'histogram' ? ['_bucket', '_sum', '_count'] : ['']
    if (!suffixes.some((suffix) => sampleName === name + suffix)) {
      throw new Error(`${sampleName} stands below ${name}`)
    }
    if (!numberPattern.test(value)) throw new Error(`no number: ${line}`)
    if (family.samples.has(sampleName + labels)) throw new Error(`${line} comes twice`)
    family.samples.set(sampleName + labels, Number(value.replace('Inf', 'Infinity')))
  }
  for (const [each, family] of families)
    if (family.type === 'histogram') checkHistogram(each, family)
  return families
}

/** The value of one sample. */
export function sampleOf(text: string, sample: string): number | undefined {
  for (const { samples } of parseMetrics(text).values()) {
    const found = samples.get(sample)
    if (found !== undefined) return found
  }
  return undefined
}

function checkHistogram(name: string, { samples }: ParsedFamily): void {
  const last = new Map<string, { bound: number; count: number }>()
  for (const [sample, count] of samples) {
    const bucket = /^\w+_bucket\{(.*?),?le="([^"]+)"\}$/.exec(sample)
    if (bucket === null) continue
    const [, labels = '', le = ''] = bucket
    const bound = Number(le.replace('Inf', 'Infinity'))
    const before = last.get(labels)
    if (before !== undefined && (bound <= before.bound || count < before.count)) {
      throw new Error(`${sample} does not rise`)
    }
    last.set(labels, { bound, count })
  }
  for (const [labels, { bound, count }] of last) {
    const total = samples.get(`${name}_count${labels === '' ? '' : `{${labels}}`}`)
    if (bound !== Number.POSITIVE_INFINITY || total !== count)
      throw new Error(`${name} has no +Inf`)
  }
}
