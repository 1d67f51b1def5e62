import { Buffer } from 'node:buffer'
import { readFileSync } from 'node:fs'
import t from 'tap'
import { urlInHeader } from '../../../src/connectors/http/header-url.js'

t.test('a URL in a header is the one of its bytes', (t) => {
  for (const path of ['/caf\u00e9', '/\u20ac/\ud83d\ude00', '/plain', '/%C3%A9']) {
    const url = new URL(urlInHeader(Buffer.from(path).toString('latin1')), 'http://some.where')
    t.equal(url.pathname, new URL(path, 'http://some.where').pathname, path)
  }
  t.equal(urlInHeader('/caf\u00e9'), '/caf%E9', 'a byte that is no UTF-8')
  t.end()
})

t.test('no version of undici may be used that decodes headers, as 7.19 and those before it do', (t) => {
  const { peerDependencies } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as {
    peerDependencies: { undici: string }
  }
  const [, minor] = /^\^7\.(\d+)\.\d+$/.exec(peerDependencies.undici) ?? []
  t.ok(Number(minor) >= 20, peerDependencies.undici)
  t.end()
})
