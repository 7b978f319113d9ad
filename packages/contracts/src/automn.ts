// Adding a name here makes it public API.
export * from './foreign/automn.js';
