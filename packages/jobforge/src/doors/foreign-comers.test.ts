import { afterAll, describe, expect, it, vi } from 'vitest';
import type { Log } from '../model/log.js';
import { openGuarded, type GuardedForge } from '../testing/guarded-forge.js';
import { DOOR_NAMES, type DoorName } from './door.js';
import { comerAt, type Comer } from './foreign-comers.fixture.js';

const test = openGuarded();
afterAll(test.close);

interface Known {
  readonly of: GuardedForge;
  readonly comer: Comer;
  readonly runnerId: string;
  /** What the runner proves itself with. */
  readonly secret: string;
}

/** A runner that was here. */
async function known(door: DoorName): Promise<Known> {
  const of = await test.guarded({ accept: [door] });
  const { token } = await of.token({ kind: 'enrollment', name: 'fleet' });
  const comer = comerAt(door, of);
  const secret = await comer.enroll(token);
  const [runner] = await of.forge.operations.listRunners();
  return { of, comer, runnerId: runner?.id ?? '', secret };
}

type Deed = (operations: GuardedForge['forge']['operations'], runnerId: string) => Promise<unknown>;

const REVOKED: Deed = (operations, id) => operations.revokeRunner(id);
const DELETED: Deed = (operations, id) => operations.deleteRunner(id, { force: 'true' });
const GONE: Deed = (operations, id) => operations.deregisterRunner(id, {});

/** One rule for all doors: what an operator took back stays so; whoever was only away comes back with what it has. */
const ROWS: readonly (readonly [string, Deed, Readonly<Record<DoorName, RegExp>>])[] = [
  [
    'was revoked',
    REVOKED,
    {
      swarmlet: /^1008 Runner has been revoked$/,
      automn: /^403 .*runner_disabled/,
      quarterback: /^401 .*revoked/,
      swamp: /has been revoked/,
    },
  ],
  [
    'was deleted',
    DELETED,
    {
      swarmlet: /^1008 Invalid runner secret$/,
      automn: /^401 .*invalid_secret/,
      quarterback: /^401 .*no longer/,
      swamp: /does not match/,
    },
  ],
  [
    'was away until it was forgotten',
    GONE,
    // Its calls do not say what it is, but for its registration.
    { swarmlet: /^in$/, automn: /^in$/, quarterback: /^401 /, swamp: /^in$/ },
  ],
];

describe.each(ROWS)('a runner that %s', (_what, deed, expected) => {
  it.each(DOOR_NAMES)('at the door of %s', async (door) => {
    const { of, comer, runnerId, secret } = await known(door);
    await deed(of.forge.operations, runnerId);
    expect(await comer.come(secret)).toMatch(expected[door]);
    comer.close();
  });
});

describe('what a runner says of itself and cannot be taken', () => {
  const FIELDS: Readonly<Record<DoorName, string>> = {
    swarmlet: 'metadata.hostname',
    automn: 'maxConcurrency',
    quarterback: 'hostname',
    swamp: 'labels.region',
  };
  it.each(DOOR_NAMES)('is named to it and to the operator at the door of %s', async (door) => {
    const log = vi.fn<Log>();
    const of = await test.guarded({ accept: [door], log });
    const { token } = await of.token({ kind: 'enrollment', name: 'fleet' });
    const comer = comerAt(door, of);
    const field = FIELDS[door];
    const said = await comer.misspeak(token);
    expect(said).toContain(`${field}: `);
    expect(log).toHaveBeenCalledWith(
      'warn',
      expect.stringContaining('announced'),
      expect.objectContaining({ door, field, value: door === 'automn' ? '-1' : '7' }),
    );
    expect(`${said}${JSON.stringify(log.mock.calls)}`).not.toContain(token);
    comer.close();
  });
});
