import { counted } from '../../base/counted.js'
import type { DeadLettersArguments } from './arguments.js'
import { inSlices, LinkTally, type Changed } from './changed.js'
import type { Selected } from './selected.js'

/** Deletes letters. */
export async function dropLetters(selected: Selected, args: DeadLettersArguments): Promise<Changed> {
  if (selected.count() === 0) selected.checkNames()
  const { dryRun } = args
  const links = new LinkTally()
  const ids: number[][] = []
  for (const slice of selected.slices()) {
    for (const { link } of slice) links.add(link)
    ids.push(slice.map(({ id }) => id))
  }
  // a damaged one goes where it was named: of others it is not known whether they are meant
  if (args.all || args.id.length > 0) ids.push(selected.damaged.splice(0))
  let dropped = 0
  if (dryRun) dropped = ids.reduce((sum, { length }) => sum + length, 0)
  else {
    await inSlices(ids, (slice) => {
      dropped += selected.letters.atOnce(() => selected.letters.delete(slice))
    })
  }
  const { missing, damaged } = selected
  const done = `${counted(dropped, 'dead letter')}${links.text} ${dryRun ? 'would be deleted' : 'deleted'}`
  return {
    document: { dryRun, dropped, links: Object.fromEntries(links.counts), missing, damaged },
    lines: [dropped === 0 ? 'no dead letters' : done],
    problems: selected.problems(),
  }
}
