import { StoreFailing } from './store-failing.js';

/**
 * Result codes of SQLite that are about the file and not about what is written to it: READONLY, IOERR, CORRUPT, FULL,
 * CANTOPEN and NOTADB.
 */
const OF_FILE = new Set([8, 10, 11, 13, 14, 26]);

/** The low byte: what is above it only says more of the same. */
const PRIMARY = 0xff;

/** A refusal of the engine as {@link StoreFailing} where it would refuse all else too; another as it is. */
export function asSqliteFailure(error: unknown): unknown {
  if (!(error instanceof Error) || !('errcode' in error)) return error;
  return OF_FILE.has(Number(error.errcode) & PRIMARY)
    ? new StoreFailing(error.message, { cause: error })
    : error;
}
