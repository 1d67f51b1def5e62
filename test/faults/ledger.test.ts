import t from 'tap'
import type { ThreadLostEvent, TransferReport } from '../../src/index.js'
import { Board } from './board.js'
import { PER_TRANSFER } from './issue.js'
import { Ledger } from './ledger.js'

/** Makes a ledger of one link, and functions that stand for what the link does. */
function setUp() {
  const board = new Board(1)
  const ledger = new Ledger(board, ['a'])
  const push = (transfer: number, ...runs: [first: number, count: number][]) => {
    board.write(0, { kind: 'begins', first: transfer, second: 0 })
    for (const [first, second] of runs) board.write(0, { kind: 'takes', first, second })
    board.write(0, { kind: 'ends', first: transfer, second: 0 })
  }
  const report = (transferNumber: number, { buffered = 0, error = '', pulled = PER_TRANSFER } = {}) => {
    const errors = error === '' ? [] : [{ code: error }]
    const told = { link: 'a', transferNumber, pulled, buffered, outlets: [], errors }
    ledger.report(told as unknown as TransferReport)
  }
  const lose = (buffered: number) => {
    ledger.lost({ links: ['a'], buffered } as unknown as ThreadLostEvent)
  }
  const wrong = () => {
    ledger.end()
    return ledger.examples
  }
  return { board, ledger, push, report, lose, wrong }
}

const LOST = 'DATABAY_THREAD_LOST'

t.test('an orderly run is right: pushed, held back, failed, and lost as told', (t) => {
  const { board, ledger, push, report, lose, wrong } = setUp()
  push(0, [0, 3])
  report(0)
  report(1, { buffered: 3 })
  push(2, [3, 6])
  report(2)
  board.write(0, { kind: 'begins', first: 3, second: 0 }) // and never ends
  lose(0)
  report(3, { error: LOST })
  report(4, { buffered: 3 })
  lose(3)
  push(5, [15, 3])
  report(5, { error: LOST })
  push(6, [18, 3])
  report(6)
  t.same(wrong(), [])
  t.match(ledger.counts, { transfers: 7, failed: 2, pushed: 15, failedRecords: 3, pushedAllTheSame: 3, lost: 3 })
  t.end()
})

t.test('what goes wrong is found', (t) => {
  const cases: { readonly [name: string]: [(run: ReturnType<typeof setUp>) => void, RegExp] } = {
    'a record that is pushed twice': [
      ({ push, report }) => {
        push(0, [0, 3])
        report(0)
        push(1, [2, 4])
        report(1)
      },
      /pushed number 2 after 2/,
    ],
    'a record that is lost': [
      ({ push, report }) => {
        push(0, [0, 2])
        report(0)
      },
      /1 records were not pushed, and the report of 0 says 0/,
    ],
    'a buffer that is lost, and its event says nothing': [
      ({ report, lose }) => {
        report(0, { buffered: 3 })
        lose(0)
      },
      /3 records were lost with a thread, and its event says 0/,
    ],
    'transfers that overlap': [
      ({ board, report }) => {
        board.write(0, { kind: 'begins', first: 0, second: 0 })
        board.write(0, { kind: 'begins', first: 1, second: 0 })
        report(0, { error: LOST })
      },
      /transfers 0 and 1 overlap/,
    ],
    'records of another link': [
      ({ board, report }) => {
        board.write(0, { kind: 'foreign', first: 2, second: 0 })
        report(0, { error: LOST })
      },
      /2 records that were never issued/,
    ],
    'a transfer without a report': [
      ({ report }) => {
        report(0, { error: LOST })
        report(2, { buffered: 3 })
      },
      /no report before 2/,
    ],
    'a report that comes twice': [
      ({ report }) => {
        report(0, { error: LOST })
        report(0, { error: LOST })
      },
      /a report of transfer 0 after 0/,
    ],
    'a buffer that was not drained': [
      ({ report }) => report(0, { buffered: 3 }),
      /3 records are still held at the end/,
    ],
    'a push that has not ended': [
      ({ board }) => board.write(0, { kind: 'begins', first: 0, second: 0 }),
      /transfer 0 has not ended/,
    ],
  }
  for (const [name, [act, expected]] of Object.entries(cases)) {
    const run = setUp()
    act(run)
    t.match(run.wrong()[0], expected, name)
  }
  t.end()
})

t.test('a board that was not read in time says so', (t) => {
  const { board, report, push } = setUp()
  for (let transfer = 0; transfer < 100; transfer++) push(transfer)
  t.throws(() => report(0), /was not read in time/)
  t.equal(board.clashes(0), 0)
  board.give(0, 4)
  t.same([board.take(0), board.take(0)], [4, 0], 'an order is told once')
  t.end()
})
