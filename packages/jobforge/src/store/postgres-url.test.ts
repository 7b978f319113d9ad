import { describe, expect, it } from 'vitest';
import { isPostgresUrl, readPostgresUrl } from './postgres-url.js';

describe('the URL of a PostgreSQL store', () => {
  it('is told from the name of another store', () => {
    expect(isPostgresUrl('postgres://localhost/jobs')).toBe(true);
    expect(isPostgresUrl('postgresql://localhost/jobs')).toBe(true);
    expect(isPostgresUrl('sqlite:./jobs.db')).toBe(false);
  });

  it('names a schema of its own, and keeps what belongs to the driver', () => {
    expect(readPostgresUrl('postgres://me:secret@db:5433/jobs?sslmode=require&schema=other')).toEqual({
      url: 'postgres://me:secret@db:5433/jobs?sslmode=require',
      schema: 'other',
      prepares: true,
      shown: 'postgres://db:5433/jobs',
    });
    expect(readPostgresUrl('postgres://db/jobs?prepare=false')).toMatchObject({
      schema: 'jobforge',
      prepares: false,
    });
  });

  it.each(['postgres://me:sec#ret@:x/jobs', 'postgres://me:secret@db:port/jobs'])(
    'that cannot be read is refused without being repeated: %s',
    (url) => {
      expect(() => readPostgresUrl(url)).toThrow(/^the PostgreSQL URL of the store cannot be read/);
      expect(() => readPostgresUrl(url)).not.toThrow(/sec/);
    },
  );

  it('with a schema that is no name is refused', () => {
    expect(() => readPostgresUrl('postgres://db/jobs?schema=a;b')).toThrow(/the schema "a;b" cannot be used/);
  });
});
