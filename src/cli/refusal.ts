import { ConfigError, DatabayError, InvalidOptionError } from '../base/errors.js'
import { scrub } from '../base/scrub.js'
import { errorLine, errorStacks } from './error-text.js'
import { EXIT, type Ending, type ProcessContext } from './process-context.js'
import { say } from './say.js'

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
  if (json && thrown instanceof DatabayError) {
    stdout.write(`${JSON.stringify({ error: { code: thrown.code, message: scrub(thrown.message) } })}\n`)
  }
  return refused(thrown, { stderr })
}

/** Whether an error means that what a command was given is wrong, its configuration included: nothing was started. */
export function isAboutArguments(error: unknown): error is InvalidOptionError | ConfigError {
  return error instanceof InvalidOptionError || error instanceof ConfigError
}

/**
 * Says why a command could not do what it was asked to, and how it ends.
 *
 * @param stacks - whether to show where the errors came from
 * @throws what was thrown, unless it is an error of this package
 */
export function refused(thrown: unknown, { stderr }: Pick<ProcessContext, 'stderr'>, stacks = false): Ending {
  if (!(thrown instanceof DatabayError)) throw thrown
  say(stderr, stacks ? errorStacks(thrown) : errorLine(thrown))
  return { code: isAboutArguments(thrown) ? EXIT.badArguments : EXIT.failed, signal: undefined }
}
