import { createHash } from 'node:crypto';
import type { PostgresAddress } from './postgres-url.js';
import type { ReplicaListener } from './replica-store.js';

/** The connection over which a replica is woken, and by which the others see that it is there. */
export interface PostgresListener {
  /** Opens the connection where it is not there. */
  ensure(): void;
  close(): Promise<void>;
}

/** Names of what belongs to one schema: such names are short. */
function tagOf(schema: string): string {
  return createHash('sha256').update(schema).digest('hex').slice(0, 12);
}

export function channelOf({ schema }: PostgresAddress): string {
  return `jobforge_${tagOf(schema)}`;
}

/** Under which name the server lists the connection of a replica. */
export function presenceOf({ schema }: PostgresAddress, replica: number): string {
  return `jobforge ${tagOf(schema)} ${replica}`;
}

export const WORK = 'work';
export const messageFor = (replica: number): string => `to ${replica}`;

interface ListenerOptions {
  readonly address: PostgresAddress;
  readonly replica: number;
  readonly listener: ReplicaListener;
}

/** Listens where the server can do that; whoever cannot be woken looks by itself. */
export async function openListener({
  address,
  replica,
  listener,
}: ListenerOptions): Promise<PostgresListener> {
  const { default: connect } = await import('postgres');
  const open = (): ReturnType<typeof connect> => {
    const sql = connect(address.url, {
      max: 1,
      fetch_types: false,
      idle_timeout: 0,
      max_lifetime: null,
      onnotice: () => undefined,
      connection: { application_name: presenceOf(address, replica) },
    });
    const told = (payload: string): void => {
      if (payload === WORK) listener.onWork();
      else if (payload === messageFor(replica)) listener.onMessage();
    };
    sql.listen(channelOf(address), told).catch(() => undefined);
    return sql;
  };
  let sql = open();
  return {
    ensure() {
      sql.end({ timeout: 0 }).catch(() => undefined);
      sql = open();
    },
    close: () => sql.end({ timeout: 0 }),
  };
}
