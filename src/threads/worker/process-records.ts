import { ImplementationError, LinkModuleError } from '../../base/errors.js'
import type { ProcessorFunction } from '../../core/processor.js'
import { isRecord } from '../../core/record.js'
import { Update } from '../../core/update.js'
import type { Calls } from '../protocol/messages.js'
import { pack, unpack } from '../protocol/records.js'
import { loadModule } from './link-module.js'

/**
 * Applies a processor of a module to records.
 *
 * @throws {@link LinkModuleError} when the module cannot be loaded or exports no such function
 * @throws {@link ImplementationError} when the processor returns something other than records
 */
export async function processRecords(request: Calls['process']['request']): Promise<Calls['process']['answer']> {
  const { module, exportName } = request
  const processor = (await loadModule(module))[exportName]
  if (typeof processor !== 'function') {
    throw new LinkModuleError(module, `exports no function ${exportName} to process records with`)
  }
  const update = new Update(request.tags, request.transferNumber)
  const processed: unknown = await (processor as ProcessorFunction)(unpack(request.records), update)
  if (!Array.isArray(processed) || !processed.every(isRecord)) {
    throw new ImplementationError(`processor ${exportName} of ${module} must return a list of records`)
  }
  return pack(processed, request.records)
}
