import fc from '../../helpers/fast-check.js'
import t from 'tap'
import { RunPacker, unpackRuns } from '../../../src/threads/protocol/runs.js'

const run = fc.record(
  {
    link: fc.nat(),
    transferNumber: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
    scheduledAt: fc.double({ min: 0, max: 1e13, noNaN: true }),
    drain: fc.boolean(),
    retry: fc.boolean(),
  },
  { noNullPrototype: true },
)

t.test('property: runs are on the other side what they were, few or many, message after message', async (t) => {
  const packer = new RunPacker()
  const messages = fc.array(fc.array(run, { minLength: 1, maxLength: 40, size: 'max' }), { maxLength: 3 })
  fc.assert(
    fc.property(messages, fc.nat(), (all, first) => {
      for (const runs of all) {
        runs.forEach(({ link, transferNumber, scheduledAt, drain, retry }, at) => {
          packer.add(first + at, link, transferNumber, scheduledAt, drain, retry)
        })
        t.equal(packer.size, runs.length)
        const came: unknown[] = []
        unpackRuns(structuredClone(packer.take()), (number, link, transferNumber, scheduledAt, drain, retry) => {
          came.push({ number, link, transferNumber, scheduledAt, drain, retry })
        })
        t.strictSame(
          came,
          runs.map((one, at) => ({ number: first + at, ...one })),
        )
      }
    }),
    { numRuns: 50 },
  )
})
