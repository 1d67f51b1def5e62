/**
 * The link module, which runs in the threads. It has one link for each part of the feed: each polls the whole feed and keeps
 * what belongs to its part.
 *
 * ```
 *   FeedInlet ─► splitFeatures ─► newEvents ─► toQuakes ─► Analysis ─► byFile ─► CsvOutlet
 *     poll        one record        first        the rule,   CPU-heavy   batches    one file
 *                 per event         seen wins    the region                         per region
 * ```
 */
import path from 'node:path'
import { CsvOutlet, Link } from 'databay'
import { Analysis, COLUMNS } from './analysis.js'
import { byFile } from './by-file.js'
import { FeedInlet } from './feed-inlet.js'
import { newEvents, splitFeatures } from './feed.js'
import { partOf, type Part } from './parts.js'
import { toQuakes } from './quake.js'
import { readSettings } from './settings.js'

const settings = readSettings()

function linkOf(part: Part) {
  return new Link({
    tags: `quakes.${part}`,
    inlets: new FeedInlet(settings.feed.replaceAll('{part}', part)),
    processors: [
      splitFeatures,
      newEvents(),
      toQuakes,
      new Analysis({
        isOwn: (record) => partOf(String(record.metadata[CsvOutlet.CSV_FILE])) === part,
        draws: settings.work * 1e6,
      }),
    ],
    groupers: byFile,
    outlets: new CsvOutlet(path.join(settings.output, 'unknown.csv'), { columns: COLUMNS }),
    interval: settings.interval,
    lane: 'cpu',
  })
}

export const california = linkOf('california')
export const pacific = linkOf('pacific')
export const west = linkOf('west')
export const world = linkOf('world')
