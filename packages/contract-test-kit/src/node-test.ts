// Adding a name here makes it public API.
export { describeConformance } from './conformance/describe-in-node-test.js';
export type { ConformanceOptions } from './conformance/describe-with.js';
