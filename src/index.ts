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
export { Buffer, type BufferController, type BufferOptions } from './core/buffer.js'
export { Distinct, type AliasesOf, type DistinctOptions, type KeyOf } from './core/distinct.js'
export type { DistinctKey } from './core/distinct-key.js'
export {
  ConfigError,
  DatabayError,
  EnvironmentError,
  ImplementationError,
  InvalidNodeError,
  InvalidOptionError,
  LinkModuleError,
  MissingDependencyError,
  MissingLinkError,
  PlannerStateError,
  ScheduleIntervalError,
  ShutdownTimeoutError,
  StartTimeoutError,
  ThreadLostError,
  TransferCancelledError,
  TransferTimeoutError,
  UncloneableRecordError,
} from './base/errors.js'
export { InvalidPayloadError, PartialPushError, UntriedRecordError, type RejectedRecord } from './core/partial-push.js'
export { DatabaseError, FileError } from './connectors/errors.js'
export { HttpError, type HttpErrorOptions, type HttpFailure } from './connectors/http/errors.js'
export { MongoCollectionNotFound } from './connectors/mongodb/errors.js'
export type { RoundCounts } from './core/round-counts.js'
export { Inlet, type InletOptions, type Pulled, type PulledStep, type PulledStream } from './core/inlet.js'
export type { Cursor } from './core/cursor.js'
export { CursorVersionError, DeadLettersFullError, NoCursorError, NoStoreError } from './delivery/errors.js'
export {
  FencedError,
  StoreCorruptError,
  StoreError,
  StoreOwnedError,
  StoreVersionError,
  UnspoolableError,
} from './store/errors.js'
export { CsvInlet, type CsvInletOptions } from './connectors/csv/csv-inlet.js'
export type { CsvRowOf } from './connectors/csv/typed-rows.js'
export type { CsvRow } from './connectors/csv/types.js'
export type { CsvType, CsvValue } from './connectors/csv/types.js'
export type { CsvTypes } from './connectors/csv/typed-rows.js'
export { FileInlet, FileInletMode, type FileInletOptions } from './connectors/files/file-inlet.js'
export type { FollowOptions } from './connectors/files/follow-options.js'
export type { ResponseHeaders } from './connectors/http/response-headers.js'
export type { HttpFormat } from './connectors/http/format.js'
export { HttpInlet } from './connectors/http/http-inlet.js'
export { HttpOutlet } from './connectors/http/http-outlet.js'
export type {
  HttpBodyFormat,
  HttpBodyFrom,
  HttpIdempotencyKey,
  HttpOutletOptions,
  HttpSend,
} from './connectors/http/outlet/outlet-options.js'
export type { HttpAnswer, HttpResult, HttpResults } from './connectors/http/outlet/results.js'
export type { HttpDestination, HttpTarget } from './connectors/http/outlet/http-target.js'
export type { HttpInletOptions } from './connectors/http/inlet/inlet-options.js'
export type { SelectRecords } from './connectors/http/inlet/select.js'
export type { HttpSince, SincePage, SinceRequest } from './connectors/http/inlet/since.js'
export type { HttpParams } from './connectors/http/request.js'
export type { HttpHeaders } from './connectors/http/request-headers.js'
export { PostgresInlet } from './connectors/postgres/postgres-inlet.js'
export type { PostgresInletOptions } from './connectors/postgres/inlet/inlet-options.js'
export type { PostgresTypes } from './connectors/postgres/inlet/type-options.js'
export { MongoInlet } from './connectors/mongodb/mongo-inlet.js'
export type { MongoInletOptions, MongoQuery, MongoSort } from './connectors/mongodb/inlet-options.js'
export type { LongLines } from './connectors/files/line-splitter.js'
export type { ContentEncoding } from './connectors/http/content-encoding.js'
export { nextLink, type HttpPage, type NextPage } from './connectors/http/inlet/next-link.js'
export { NullInlet } from './connectors/samples/null-inlet.js'
export { RandomIntInlet, type RandomIntInletOptions } from './connectors/samples/random-int-inlet.js'
export type { Schedule } from './core/schedule.js'
export type { Duration } from './base/duration.js'
export type { Alert, AlertMessage } from './operate/alerts/alert-message.js'
export type { AlertOptions, AlertWebhook } from './operate/alerts/alert-options.js'
export type { AlertKind } from './operate/alerts/alert-states.js'
export type { AlertTemplate } from './operate/alerts/template.js'
export { env, secret, type SecretReader } from './base/environment.js'
export { Secret, type SecretText } from './base/secret.js'
export type { NameOption } from './core/name-option.js'
export { Link } from './core/link.js'
export type {
  DeadLetterOptions,
  DeadLetterSettings,
  DeliveryLevel,
  FullDeadLetters,
  LinkRetryOptions,
  LinkRetrySettings,
} from './core/delivery-options.js'
export type {
  Lane,
  RoundSize,
  DueTimes,
  LinkOptions,
  LinkSettings,
  StartFailurePolicy,
  TransferSettings,
} from './core/link-options.js'
export {
  getLogger,
  setLogDestination,
  setLogLevel,
  type LogDestination,
  type Logger,
  type LogMethod,
  type LogLevel,
} from './base/log.js'
export { setLogger, type HostLogger, type HostLogMethod } from './base/host-logger.js'
export type { MongoConnectionOptions } from './connectors/mongodb/connection-options.js'
export { Outlet, type MetadataKey, type OutletOptions } from './core/outlet.js'
export { CsvOutlet, type CsvOutletOptions } from './connectors/csv/csv-outlet.js'
export { FileOutlet, type FileOutletOptions } from './connectors/files/file-outlet.js'
export { MongoOutlet } from './connectors/mongodb/mongo-outlet.js'
export type { MongoMode, MongoOutletOptions } from './connectors/mongodb/outlet-options.js'
export type { PostgresConnectionOptions } from './connectors/postgres/connection-options.js'
export type { PostgresTable } from './connectors/postgres/identifiers.js'
export type {
  PostgresExtraColumns,
  PostgresJsonStrings,
  PostgresMode,
  PostgresOutletOptions,
} from './connectors/postgres/outlet/outlet-options.js'
export { PostgresOutlet } from './connectors/postgres/postgres-outlet.js'
export type { PostgresTls } from './connectors/postgres/tls.js'
export type { S3ConnectionOptions } from './connectors/s3/connection-options.js'
export type { S3Credentials } from './connectors/s3/credentials.js'
export { S3Error, type S3ErrorOptions } from './connectors/s3/errors.js'
export type { S3InletCsvOptions, S3InletOptions } from './connectors/s3/inlet/inlet-options.js'
export type { S3KeyNames } from './connectors/s3/outlet/key-template.js'
export type { S3ObjectFormat } from './connectors/s3/inlet/object-format.js'
export type { S3OutletFormat } from './connectors/s3/outlet/content-style.js'
export type { S3Key, S3OutletCsvOptions, S3OutletOptions } from './connectors/s3/outlet/outlet-options.js'
export type { S3ObjectOrder } from './connectors/s3/inlet/position.js'
export { S3Inlet } from './connectors/s3/s3-inlet.js'
export { S3Outlet } from './connectors/s3/s3-outlet.js'
export { NullOutlet } from './connectors/samples/null-outlet.js'
export { PrintOutlet, type PrintOutletOptions } from './connectors/print/print-outlet.js'
export type { PrintStream } from './connectors/print/print-stream.js'
export type { FileMode, TargetOptions } from './connectors/files/target-options.js'
export type { PlannedLink, TransferRequest } from './core/planned-link.js'
export type { OutletAccount } from './core/link-accounts.js'
export type { Grouper, Processor, ProcessorFunction, StatefulProcessor } from './core/processor.js'
export type { OneOrMany } from './base/one-or-many.js'
export { Record, type Metadata } from './core/record.js'
export type { BigIntegers, BigIntegersOptions } from './connectors/big-integers.js'
export type { RetryOptions } from './base/retry.js'
export type { Serialize, SerializeOptions } from './connectors/serialize.js'
export {
  TransferError,
  type Blocked,
  type CountsSoFar,
  type OutletReport,
  type StageTime,
  type ReportedError,
  type Stage,
  type TransferReport,
} from './core/report.js'
export { type PlainError } from './base/plain-error.js'
export type { TextEncoding } from './connectors/files/text-encoding.js'
export { Update } from './core/update.js'
export { BasePlanner } from './planners/base-planner.js'
export type { ShutdownOptions, StartOptions } from './planners/planner-options.js'
export type { DueTime } from './planners/clock/trigger.js'
export type { PlannerOptions } from './planners/planner-options.js'
export type {
  LateEvent,
  PlannerCounts,
  PlannerEvents,
  SkippedEvent,
  BlockedEvent,
  UnblockedEvent,
  PausedEvent,
  StartFailedEvent,
  StartRecoveredEvent,
  ThreadLostEvent,
} from './operate/planner-events.js'
export { HttpListenError } from './operate/errors.js'
export type { HttpEndpoint } from './operate/service.js'
export type { PlannerEmitter, PlannerListener } from './planners/planner-emitter.js'
export type { Distribution } from './operate/histogram.js'
export { ControlError } from './operate/control/errors.js'
export type {
  LastError,
  LinkStats,
  PlannerState,
  PlannerStats,
  RemovedLinkStats,
  StartFailureStats,
} from './operate/planner-stats.js'
export { SchedulePlanner, type SchedulePlannerOptions } from './planners/schedule-planner.js'
export { WorkerPlanner } from './planners/worker-planner.js'
export { type LinkOrModule } from './planners/planner-modules.js'
export { type WorkerPlannerOptions } from './planners/worker-planner-options.js'
export type { OffloadOptions } from './threads/main/offload.js'
export type { OffloadedExport, ProcessorsOf } from './threads/main/offloaded-types.js'
export type { ThreadStats } from './threads/main/thread-stats.js'
export type { ThreadPool } from './planners/thread-pool.js'
