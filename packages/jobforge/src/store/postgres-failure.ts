import { StoreFailing } from './store-failing.js';

/** SQLSTATE 53100 and 53300, a full disk and no connection left, 58, and 25006: a server that only reads. */
const OF_SERVER = /^(53100|53300|58...|25006)$/;

/** A refusal of the server as {@link StoreFailing} where it would refuse all else too; another as it is. */
export function asPostgresFailure(error: unknown): unknown {
  const isOfServer = error instanceof Error && 'code' in error && OF_SERVER.test(String(error.code));
  return isOfServer ? new StoreFailing(error.message, { cause: error }) : error;
}
