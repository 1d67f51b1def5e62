import t from 'tap'
import { readFeedFile } from '../../examples/quickstart/feed.js'
import { partOf } from '../../examples/quickstart/parts.js'
import { FEED_FILE } from '../../examples/quickstart/paths.js'
import { fileOf, regionOf } from '../../examples/quickstart/region.js'

t.test('the region is taken from the description of the place', async (t) => {
  const cases: [string | null, string][] = [
    ['10km SSW of Idyllwild, CA', 'California'],
    ['12km E of Truckee, California', 'California'],
    ['21km SSE of Progreso, B.C., MX', 'Mexico'],
    ['32km W of Raton, New Mexico', 'New Mexico'],
    ['2 km N of The Geysers, CA', 'California'],
    ['Line Islands, Kiribati region', 'Kiribati'],
    ['5km S of Bukavu, the Congo', 'Congo'],
    ['Off the east coast of the North Island of New Zealand', 'New Zealand'],
    ['South of the Fiji Islands', 'Fiji Islands'],
    ['Southeast of Easter Island', 'Easter Island'],
    ['near the coast of Oaxaca', 'Oaxaca'],
    ['Gulf of Alaska', 'Gulf of Alaska'],
    ['Southern Mid-Atlantic Ridge', 'Southern Mid-Atlantic Ridge'],
    ['Banda Sea', 'Banda Sea'],
    ['', 'Unknown'],
    ['3km N of nowhere, ', 'Unknown'],
    [null, 'Unknown'],
  ]
  for (const [place, region] of cases) t.equal(regionOf(place), region, String(place))
})

t.test('a file name is letters, digits and dashes, whatever the region', async (t) => {
  t.equal(fileOf('Puerto Rico'), 'puerto-rico.csv')
  t.equal(fileOf('Réunion (France)'), 'reunion-france.csv')
  t.equal(fileOf('../../etc/passwd'), 'etc-passwd.csv')
  t.equal(fileOf('C:\\nul\0'), 'c-nul.csv')
  t.equal(fileOf('日本'), 'unknown.csv')
  t.equal(fileOf('x'.repeat(1000)).length, 64)
  t.match(fileOf('a'.repeat(59) + ' b'), /^a+\.csv$/)
})

t.test('each file belongs to one part', async (t) => {
  t.equal(partOf('california.csv'), 'california')
  t.equal(partOf('nevada.csv'), 'west')
  t.equal(partOf('gulf-of-alaska.csv'), 'pacific')
  t.equal(partOf('japan.csv'), 'world')
})

t.test('every event of the recorded feed has a region', async (t) => {
  const { features } = await readFeedFile(FEED_FILE)
  t.equal(features.length, 1707)
  const regions = new Set(features.map(({ properties }) => regionOf(properties.place)))
  t.notOk(regions.has('Unknown'))
  for (const region of regions) t.notMatch(region, /\d|\b(?:off|coast|CA|MX|region)\b/)
})
