/**
 * databay: scheduled data transfer in worker threads.
 *
 * Glossary: a **record** is one quantity of data. An **inlet** produces records, an **outlet** consumes them. A
 * **link** ties inlets to outlets: when to run, and how to shape the data between (processors, groupers, buffers). A
 * **transfer** is one cycle of a link: pull, process, group, push; its **update** is its identity. A **planner**
 * decides when links transfer. A **link module** is an ES module that exports links; a **thread** hosts them.
 *
 * @packageDocumentation
 */
export { Buffer, type BufferController, type BufferOptions } from './buffer.js'
export {
  DatabaseError,
  DatabayError,
  FileError,
  HttpError,
  ImplementationError,
  InvalidNodeError,
  InvalidOptionError,
  InvalidPayloadError,
  LinkModuleError,
  MissingDependencyError,
  MissingLinkError,
  MongoCollectionNotFound,
  PartialPushError,
  PlannerStateError,
  ScheduleIntervalError,
  ShutdownTimeoutError,
  StartTimeoutError,
  ThreadLostError,
  TransferCancelledError,
  TransferTimeoutError,
  UncloneableRecordError,
  type HttpErrorOptions,
  type HttpFailure,
  type RejectedRecord,
} from './errors.js'
export { Inlet, type InletOptions, type Pulled } from './inlet.js'
export { CsvInlet, type CsvInletOptions } from './inlets/csv-inlet.js'
export type { CsvRow } from './inlets/csv-columns.js'
export type { CsvType, CsvValue } from './inlets/csv-types.js'
export { FileInlet, FileInletMode, type FileInletOptions } from './inlets/file-inlet.js'
export type { FollowOptions } from './inlets/follow-options.js'
export type { ResponseHeaders } from './inlets/http-exchange.js'
export type { HttpFormat } from './inlets/http-format.js'
export { HttpInlet } from './inlets/http-inlet.js'
export type { HttpInletOptions } from './inlets/http-options.js'
export type { HttpHeaders, HttpParams } from './inlets/http-request.js'
export { MongoInlet, type MongoInletOptions, type MongoQuery } from './inlets/mongo-inlet.js'
export type { LongLines } from './inlets/line-splitter.js'
export { nextLink, type HttpPage, type NextPage } from './inlets/next-link.js'
export { NullInlet } from './inlets/null-inlet.js'
export { RandomIntInlet, type RandomIntInletOptions } from './inlets/random-int-inlet.js'
export type { Duration, Schedule } from './interval.js'
export { Link } from './link.js'
export type { Lane, LinkOptions, LinkSettings } from './link-options.js'
export { getLogger, setLogDestination, setLogLevel, type LogDestination, type Logger, type LogLevel } from './log.js'
export type { MongoConnectionOptions } from './mongo-client.js'
export { Outlet, type MetadataKey, type OutletOptions } from './outlet.js'
export { CsvOutlet, type CsvOutletOptions } from './outlets/csv-outlet.js'
export { FileOutlet, type FileOutletOptions } from './outlets/file-outlet.js'
export { MongoOutlet, type MongoMode, type MongoOutletOptions } from './outlets/mongo-outlet.js'
export { NullOutlet } from './outlets/null-outlet.js'
export { PrintOutlet, type PrintOutletOptions } from './outlets/print-outlet.js'
export type { PrintStream } from './outlets/print-stream.js'
export type { FileMode, TargetOptions } from './outlets/targets.js'
export type { PlannedLink, TransferRequest } from './planned-link.js'
export type { Grouper, OneOrMany, Processor, ProcessorFunction, StatefulProcessor } from './processor.js'
export { Record, type Metadata } from './record.js'
export type { RetryOptions } from './retry.js'
export {
  TransferError,
  type OutletReport,
  type PlainError,
  type ReportedError,
  type Stage,
  type TransferReport,
} from './report.js'
export type { TextEncoding } from './text-encoding.js'
export { Update } from './update.js'
export { BasePlanner, type ShutdownOptions } from './planners/base-planner.js'
export type { DueTime } from './planners/dispatcher.js'
export type {
  LateEvent,
  PlannerCounts,
  PlannerEvents,
  PlannerOptions,
  SkippedEvent,
  ThreadLostEvent,
} from './planners/planner-options.js'
export type { Distribution } from './planners/histogram.js'
export type { LinkStats, PlannerStats } from './planners/planner-stats.js'
export { SchedulePlanner, type SchedulePlannerOptions } from './planners/schedule-planner.js'
export { WorkerPlanner, type LinkOrModule, type WorkerPlannerOptions } from './planners/worker-planner.js'
export type { OffloadOptions } from './threads/offload.js'
export type { ThreadStats } from './threads/thread-stats.js'
export type { ThreadPool } from './threads/thread-pool.js'
