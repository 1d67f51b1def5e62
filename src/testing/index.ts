/**
 * databay/testing: contract suites. Tests of what every inlet, outlet and planner must do, to be run on your own ones
 * by `node:test`, tap, or any runner that registers tests by `test(name, body)`.
 *
 * @packageDocumentation
 */
export type { NamedSetups, NodeSuiteOptions, OneSetup, SuiteOptions } from './configurations.js'
export { InletTester } from './inlets/inlet-tester.js'
export { type CreateInlet, type InletSetup } from './inlets/inlet-setup.js'
export { OutletTester } from './outlets/outlet-tester.js'
export { type CreateOutlet, type OutletSetup, type SuiteOutletOptions } from './outlets/outlet-setup.js'
export { PlannerTester } from './planners/planner-tester.js'
export { type CreatePlanner, type PlannerSetup } from './planners/planner-setup.js'
export type { TestFunction, TestRunner } from './runner.js'
