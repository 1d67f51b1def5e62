/**
 * databay/testing: contract suites. Tests of what every inlet, outlet and planner must do, to be run on your own by
 * `node:test`, tap, or whatever registers tests by `test(name, body)`.
 *
 * @packageDocumentation
 */
export type { NamedSetups, NodeSuiteOptions, OneSetup, SuiteOptions } from './configurations.js'
export { InletTester, type CreateInlet, type InletSetup } from './inlets/inlet-tester.js'
export { OutletTester, type CreateOutlet, type OutletSetup, type SuiteOutletOptions } from './outlets/outlet-tester.js'
export { PlannerTester, type CreatePlanner, type PlannerSetup } from './planners/planner-tester.js'
export type { TestFunction, TestRunner } from './runner.js'
