import { describe, expect, it } from 'vitest'
import { formatEnodeUrl, parseEnodeUrl } from './enode-url.ts'

const key = 'ab'.repeat(64)

describe('enode URLs', () => {
  it('are written as they were read', () => {
    for (const url of [
      `enode://${key}@127.0.0.1:30303`,
      `enode://${key}@127.0.0.1:0?discport=30301`,
      `enode://${key}@[2001:db8::1]:30303?discport=30304`,
      `enode://${key}@bootnode.example:30303`,
    ]) {
      expect(formatEnodeUrl(parseEnodeUrl(url))).toBe(url)
    }
  })

  it('have one port for both unless they name another', () => {
    expect(parseEnodeUrl(`enode://${key}@[::1]:1?discport=2`)).toEqual({
      publicKey: new Uint8Array(64).fill(0xab),
      host: '::1',
      tcpPort: 1,
      udpPort: 2,
    })
    expect(parseEnodeUrl(`enode://${key}@h:9`).udpPort).toBe(9)
  })

  it('are refused otherwise', () => {
    for (const url of [
      '',
      `http://${key}@127.0.0.1:1`,
      `enode://${key.slice(2)}@127.0.0.1:1`,
      `enode://${key}@127.0.0.1`,
      `enode://${key}@127.0.0.1:65536`,
      `enode://${key}@127.0.0.1:1?discport=x`,
      `enode://${key}@127.0.0.1:1?discport=70000`,
      `enode://${key}@::1:30303`,
      `enode://${key}@:30303`,
    ]) {
      expect(() => parseEnodeUrl(url), url).toThrow(/cannot be read/)
    }
  })
})
