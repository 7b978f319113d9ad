// Adding a name here makes it public API.
export { conformanceCapabilities } from './conformance/conformance-capabilities.js';
