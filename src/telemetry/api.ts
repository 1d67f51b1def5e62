import { loadOptional } from '../base/optional-packages.js'

/** The API of OpenTelemetry. It does nothing until the program registers an SDK. */
export type TelemetryApi = typeof import('@opentelemetry/api')

const API = { name: '@opentelemetry/api', range: '^1.9.0', load: () => import('@opentelemetry/api') }

/**
 * Loads the API.
 *
 * @throws {@link MissingDependencyError} when it is not installed
 */
export function loadTelemetryApi(): Promise<TelemetryApi> {
  return loadOptional(API, 'telemetry')
}
