import { defineConfig, env } from 'databay/config'

export default defineConfig({
  modules: './links.js',
  threads: 1,
  links: {
    'room_*': { interval: { seconds: Number(env('ROOM_SECONDS', '60')) } },
  },
  profiles: {
    production: {
      threads: 2,
      links: { 'tag:debug': { enabled: false } },
    },
  },
})
