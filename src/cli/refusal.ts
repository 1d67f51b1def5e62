import { DatabayError, InvalidOptionError } from '../base/errors.js'
import { errorLine } from './error-text.js'
import { say } from './links/inspect.js'
import { EXIT, type Ending, type ProcessContext } from './process-context.js'

/**
 * Says why a command that answers once could not, and how it ends.
 *
 * @param json - whether it answers in JSON
 * @throws what was thrown, unless it is an error of this package
 */
export function refusal(
  thrown: unknown,
  json: boolean,
  { stdout, stderr }: Pick<ProcessContext, 'stdout' | 'stderr'>,
): Ending {
  if (!(thrown instanceof DatabayError)) throw thrown
  if (json) stdout.write(`${JSON.stringify({ error: { code: thrown.code, message: thrown.message } })}\n`)
  say(stderr, errorLine(thrown))
  return { code: thrown instanceof InvalidOptionError ? EXIT.badArguments : EXIT.failed, signal: undefined }
}
