import { checkCommand } from './links/check.js'
import { listCommand } from './links/list.js'
import { configCommand } from './config/config-command.js'
import { createCommand } from './create/create.js'
import { parseCommandLine } from './program.js'
import { deadLettersCommand } from './dead-letters/dead-letters-command.js'
import { ledgerCommand } from './ledger/ledger-command.js'
import { explainCommand } from './explain/explain-command.js'
import { planCommand } from './plan/plan-command.js'
import { runCommand } from './run/run-command.js'
import type { Ending, ProcessContext } from './process-context.js'
import { steerCommand } from './steer/steer-command.js'
import { storeCommand } from './store/store-command.js'
import { tuneCommand } from './tune/tune.js'

/** The command `databay`. It reads and writes only what it is given of the process. */
export async function databay(given: ProcessContext): Promise<Ending> {
  const parsed = parseCommandLine(given.argv, given)
  if (typeof parsed === 'number') return { code: parsed, signal: undefined }
  const context = parsed.color ? given : { ...given, env: { ...given.env, NO_COLOR: '1' } }
  switch (parsed.command) {
    case 'run':
      return runCommand(parsed, context)
    case 'check':
      return checkCommand(parsed, context)
    case 'list':
      return listCommand(parsed, context)
    case 'explain':
      return explainCommand(parsed, context)
    case 'plan':
      return planCommand(parsed, context)
    case 'tune':
      return tuneCommand(parsed, context)
    case 'config':
      return configCommand(parsed, context)
    case 'create':
      return createCommand(parsed, context)
    case 'store':
      return storeCommand(parsed, context)
    case 'ledger':
      return ledgerCommand(parsed, context)
    case 'dead-letters':
      return deadLettersCommand(parsed, context)
    case 'status':
    case 'force':
    case 'pause':
    case 'resume':
      return steerCommand(parsed, context)
  }
}
