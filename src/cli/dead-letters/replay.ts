import { counted } from '../../base/counted.js'
import type { StoredDeadLetter } from '../../store/dead-letters.js'
import { isAmong, type LinkStage } from '../../store/link-stages.js'
import { tableLines } from '../links/link-text.js'
import type { DeadLettersArguments } from './arguments.js'
import { inSlices, LinkTally, type Changed } from './changed.js'
import type { Places } from './places.js'
import type { Selected } from './selected.js'

/** A letter that is to be marked. */
type Marked = Pick<StoredDeadLetter, 'id' | 'link'>

/** What is to be marked, and what cannot be. */
interface Plan {
  /** Letters that are marked together: those of one group. */
  readonly units: readonly (readonly Marked[])[]
  readonly links: LinkTally
  readonly alreadyMarked: number
  readonly withoutPayload: number
  /** Letters of places that their link does not have, by place. */
  readonly strayed: readonly Strayed[]
}

interface Strayed extends LinkStage {
  readonly link: string
  letters: number
}

/**
 * Marks letters, so that the thread that hosts their link delivers them. When some are of places that their link does not have,
 * none is marked.
 *
 * @param isOwned - whether a process uses the store now
 * @throws {@link InvalidOptionError} when `--at` is no place of their link
 */
export async function replayLetters(
  selected: Selected,
  places: Places,
  { at, dryRun }: DeadLettersArguments,
  isOwned: boolean,
): Promise<Changed> {
  if (selected.count() === 0) selected.checkNames()
  const plan = planOf(selected, places, at)
  const { units, links, alreadyMarked, withoutPayload, strayed } = plan
  if (at !== undefined) for (const link of links.counts.keys()) places.at(link, at)
  const planned = units.reduce((sum, { length }) => sum + length, 0)
  const marked = strayed.length > 0 ? 0 : dryRun ? planned : await mark(selected, places, at, units)
  const { missing, damaged } = selected
  const counts = { marked, alreadyMarked, withoutPayload, links: Object.fromEntries(links.counts), missing, damaged }
  const stages = [...new Set(strayed.map(({ link }) => link))].map((link) => [link, places.of(link) ?? []] as const)
  const refused = strayed.length === 0 ? {} : { strayed, stages: Object.fromEntries(stages) }
  return {
    document: { dryRun, ...counts, ...refused },
    lines: strayed.length > 0 ? [] : linesOf({ ...plan, marked, at, dryRun, isOwned }),
    problems: [
      ...stages.map(([link, known]) => strayedText(link, strayed, known)),
      ...(withoutPayload === 0
        ? []
        : [`${counted(withoutPayload, 'dead letter')} cannot be delivered, without payload`]),
      ...selected.problems(),
    ],
  }
}

function planOf(selected: Selected, places: Places, at: string | undefined): Plan {
  const units: Marked[][] = []
  const links = new LinkTally()
  const groups = new Set<string>()
  const strayed = new Map<string, Strayed>()
  let alreadyMarked = 0
  let withoutPayload = 0
  const take = (letter: StoredDeadLetter, unit: Marked[]) => {
    const { id, link, hasRecord, replay } = letter
    const stages = at === undefined ? places.of(link) : undefined
    if (!hasRecord) withoutPayload++
    else if (replay && at === undefined) alreadyMarked++
    else if (stages !== undefined && !isAmong(stages, letter)) noteStrayed(strayed, letter)
    else {
      unit.push({ id, link })
      links.add(link)
    }
  }
  for (const slice of selected.slices()) {
    for (const letter of slice) {
      const { link, stage } = letter
      // what an outlet refused, it refused one by one; a processor or grouper failed on all of a group at once
      const group = stage === 'push' ? undefined : letter.group
      const name = group === undefined ? '' : JSON.stringify([link, group])
      if (groups.has(name)) continue
      const unit: Marked[] = []
      units.push(unit)
      if (group === undefined) take(letter, unit)
      else {
        groups.add(name)
        for (const part of selected.group(link, group)) for (const one of part) take(one, unit)
      }
    }
  }
  return { units, links, alreadyMarked, withoutPayload, strayed: [...strayed.values()] }
}

function noteStrayed(strayed: Map<string, Strayed>, { link, place, stage, node, outlet }: StoredDeadLetter): void {
  const key = JSON.stringify([link, place, stage, node])
  const known = strayed.get(key)
  if (known !== undefined) known.letters++
  else strayed.set(key, { link, place, stage, node, ...(outlet === undefined ? {} : { outlet }), letters: 1 })
}

/** Marks letters, those of a unit in one transaction. @returns number of letters that are marked */
async function mark(
  { letters }: Selected,
  places: Places,
  at: string | undefined,
  units: readonly (readonly Marked[])[],
): Promise<number> {
  let marked = 0
  await inSlices(units, (slice) => {
    marked += letters.atOnce(() => {
      const ids = slice.map(({ id }) => id)
      if (at === undefined) return letters.setReplay(ids, true)
      const moved = slice.reduce((sum, { id, link }) => sum + letters.moveTo([id], places.at(link, at)), 0)
      letters.setReplay(ids, true)
      return moved
    })
  })
  return marked
}

interface Outcome extends Plan, Pick<DeadLettersArguments, 'dryRun'> {
  readonly marked: number
  readonly at: string | undefined
  readonly isOwned: boolean
}

function linesOf({ marked, links, alreadyMarked, at, dryRun, isOwned }: Outcome): string[] {
  const already = alreadyMarked === 0 ? [] : [`${counted(alreadyMarked, 'dead letter')} marked before`]
  if (marked === 0) return already.length === 0 ? ['no dead letters to deliver'] : already
  const from = at === undefined ? '' : ` from ${at}`
  const next = `at the next transfer of ${links.counts.size === 1 ? 'the link' : 'each link'}, after newer records`
  const when = isOwned ? next : 'once a planner uses this store again'
  const will = dryRun ? 'would be' : 'will be'
  return [`${counted(marked, 'dead letter')}${links.text} ${will} delivered${from}: ${when}`, ...already]
}

/** Says which letters are of places that their link has no more, and which places it has. */
function strayedText(link: string, strayed: readonly Strayed[], stages: readonly LinkStage[]): string {
  const from = strayed
    .filter((one) => one.link === link)
    .map(({ letters, node, place }) => `${letters} of ${node} at ${place}`)
  const rows = stages.map(({ place, stage, node }) => [place, stage, node])
  const [example = 'processor:0'] = rows[0] ?? []
  return [
    `nothing is marked: ${link} has another node there now, or none: ${from.join(', ')}`,
    ...tableLines([['place', 'stage', 'node'], ...rows]).map((line) => `    ${line}`),
    `choose one of these places with --at, such as --at ${example.includes(' ') ? `'${example}'` : example}`,
  ].join('\n')
}
