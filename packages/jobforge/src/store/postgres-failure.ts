import { StoreFailing } from './store-failing.js';

/** SQLSTATE 53 and 58, such as a full disk, and 25006: a server that only reads. */
const OF_SERVER = /^(53...|58...|25006)$/;

/** A refusal of the server as {@link StoreFailing} where it would refuse all else too; another as it is. */
export function asPostgresFailure(error: unknown): unknown {
  const isOfServer = error instanceof Error && 'code' in error && OF_SERVER.test(String(error.code));
  return isOfServer ? new StoreFailing(error.message, { cause: error }) : error;
}
