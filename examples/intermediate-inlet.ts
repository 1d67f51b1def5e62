/** A realistic inlet: asks OpenWeatherMap for the weather in a city. */
import { Inlet, Link, PrintOutlet, type InletOptions, type Update } from 'databay'

class WeatherInlet extends Inlet<string> {
  // private, as a key must never get into a log: an inlet shows only its class there
  readonly #apiKey: string
  readonly #city: string
  readonly #url: string

  constructor(apiKey: string, city: string, url: string, options?: InletOptions) {
    super(options)
    this.#apiKey = apiKey
    this.#city = city
    this.#url = url
  }

  async pull(update: Update): Promise<string> {
    const url = new URL('/data/2.5/weather', this.#url)
    url.search = new URLSearchParams({ q: this.#city, appid: this.#apiKey }).toString()

    // the signal ends the request when the transfer is told to stop
    const response = await fetch(url, { signal: update.signal })
    if (!response.ok) throw new Error(`OpenWeatherMap answered ${response.status} for ${this.#city}`)

    const { weather } = (await response.json()) as { weather: { description: string }[] }
    const [now] = weather
    if (now === undefined) throw new Error(`OpenWeatherMap knows no weather in ${this.#city}`)
    return now.description
  }
}

// a link module has no arguments: threads inherit the environment, so that is where its settings come from
const apiKey = process.env['OPEN_WEATHER_MAP_API_KEY']
if (apiKey === undefined) throw new Error('OPEN_WEATHER_MAP_API_KEY is not set')
const url = process.env['OPEN_WEATHER_MAP_URL'] ?? 'https://api.openweathermap.org'

export const weather = new Link({
  inlets: new WeatherInlet(apiKey, 'Bangkok', url),
  outlets: new PrintOutlet({ onlyPayload: true }),
  interval: { seconds: 2 },
  tags: 'bangkok_weather',
})
