/** A PostgreSQL server of the tests' own, as the tests of JobForge start it. */
interface Cluster {
  /** The URL of a schema that nothing has used. */
  newUrl(): string;
  stop(): Promise<void>;
}

interface Room {
  /** Why there is none here; undefined where there is. */
  missingPostgres(): string | undefined;
  startPostgres(): Promise<Cluster>;
}

// By its place: the room is for tests, and no package exports it.
const place = new URL('../../packages/jobforge/src/testing/postgres-cluster.ts', import.meta.url).href;
export const { missingPostgres, startPostgres } = (await import(/* @vite-ignore */ place)) as Room;
export type { Cluster };
