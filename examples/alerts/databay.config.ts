import { defineConfig, secret } from 'databay/config'

export default defineConfig({
  modules: './links.js',
  threads: 1,
  alerts: [
    {
      links: 'tag:shop',
      webhook: { url: secret('WEBHOOK_URL'), body: { text: '*{title}*\n{text}' } },
      groupWait: 0, // there is one link: no other has the same trouble at the same time
    },
    { on: 'stopped', command: ['logger', '--tag', 'databay', 'no link runs any more'] },
  ],
})
