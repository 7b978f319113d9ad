import { RunnerRegistrationRequest } from '@controlplane/contracts';
import { createAccess, OPEN_ACCESS, type Access } from '../access/access.js';
import type { Caller } from '../model/caller.js';
import { isJobForgeError } from '../model/job-forge-error.js';
import type { RecordAccess } from '../store/collection.js';
import type { PutRecord, RemoveRecord, Store } from '../store/store.js';
import { createManualClock, type ManualClock } from './manual-clock.js';
import {
  enrolled,
  issued,
  refusalOfEnrollment,
  refusalOfSecret,
  refusalOfToken,
  renewed,
  stateOf,
  type ModelRunner,
  type ModelToken,
  type Refusal,
} from './token-model.js';
import type { TokenHistory, TokenStep } from './token-steps.fixture.js';

interface World {
  readonly store: Store;
  readonly clock: ManualClock;
  access: Access;
  readonly tokens: ModelToken[];
  readonly runners: Map<string, ModelRunner>;
  /** Secrets of runners that are gone. */
  readonly orphans: string[];
  readonly problems: string[];
}

async function write(store: Store, operation: PutRecord | RemoveRecord) {
  const [outcome] = await store.commit([operation]);
  if (outcome === undefined) throw new Error('nothing was written');
  return outcome;
}

async function openAccess(store: Store, clock: ManualClock): Promise<Access> {
  const records: RecordAccess = {
    load: (collection) => store.loadRecords(collection),
    write: (operation) => write(store, operation),
  };
  const settings = { ...OPEN_ACCESS, required: true, maxFailuresPerMinute: 1_000_000 };
  const access = createAccess({ records, clock, settings });
  await access.start();
  return access;
}

/** What was refused, or what came of it. */
async function asked<T>(
  ask: () => T | Promise<T>,
): Promise<{ readonly code: string } | { readonly done: T }> {
  try {
    return { done: await ask() };
  } catch (error) {
    if (isJobForgeError(error)) return { code: error.envelope.code };
    throw error;
  }
}

function compare(world: World, what: string, [found, expected]: [unknown, unknown]): void {
  if (found !== expected) world.problems.push(`${what}: ${String(found)} instead of ${String(expected)}`);
}

const codeOf = (answer: object): unknown => ('code' in answer ? answer.code : undefined);
const idOf = (machine: string): string => `runner-on-${machine}`;
const machineOf = (step: { readonly machine: number }): string => `machine-${step.machine}`;

const registrationOf = (machineId: string) =>
  RunnerRegistrationRequest.parse({
    ...{ name: machineId, version: '1.0.0', contractVersion: '1.0.0', capabilities: [], machineId },
    ...{ instanceId: 'i', delivery: { kind: 'websocket' } },
  });

/** A machine comes with a credential, as a registration does it: who asks, whether it may, what it is given. */
function come({ access }: World, machine: string, text: string) {
  return asked(async () => {
    const caller: Caller = await access.identify(text, '127.0.0.1');
    const admitted = await access.admission.admit(caller, registrationOf(machine));
    return admitted.welcome(admitted.runnerId ?? idOf(machine));
  });
}

async function enroll(world: World, token: ModelToken, machine: string): Promise<void> {
  const now = world.clock.now();
  const runner = world.runners.get(idOf(machine));
  const expected = refusalOfEnrollment(token, { machine, runner, now });
  const answer = await come(world, machine, token.text);
  compare(world, `${machine} comes with ${token.name}`, [codeOf(answer), expected]);
  // It uses a place before it is seen that it is a runner that was revoked.
  if (refusalOfToken(token, now) === undefined && expected !== 'MACHINE_MISMATCH')
    token.machines.add(machine);
  if (!('done' in answer)) return;
  const secret = answer.done.runnerSecret;
  compare(world, `${machine} is given a secret`, [secret !== undefined, token.durable]);
  const known = runner ?? { machine, by: token, revoked: false, secrets: [], former: [] };
  world.runners.set(idOf(machine), known);
  enrolled(known, token, { secret, now });
}

/** A runner comes back with one of its secrets, from its machine or from another. */
async function comeBack(
  world: World,
  runner: ModelRunner,
  { machine, secret: at }: { machine: string; secret: number },
) {
  const texts = [...runner.former, ...runner.secrets.map(({ text }) => text)];
  const text = texts.at(-1 - at);
  if (text === undefined) return;
  const now = world.clock.now();
  const moved: Refusal | undefined = machine === runner.machine ? undefined : 'MACHINE_MISMATCH';
  const until = runner.secrets.find((one) => one.text === text)?.until;
  const answer = await come(world, machine, text);
  const expected = refusalOfSecret(runner, text, now) ?? moved;
  compare(world, `${runner.machine} comes back on ${machine}`, [codeOf(answer), expected]);
  if (!('done' in answer)) return;
  const given = answer.done.runnerSecret;
  compare(world, 'a secret that is to end brings another', [
    given !== undefined,
    until !== Number.POSITIVE_INFINITY,
  ]);
  if (given !== undefined) renewed(runner, given);
}

async function rotate(world: World, id: string, overlapMs: number): Promise<void> {
  const runner = world.runners.get(id);
  const answer = await asked(() => world.access.secrets.rotate(id, overlapMs));
  const isKnown = runner !== undefined && !runner.revoked;
  compare(world, `${id} is given another secret`, [codeOf(answer), isKnown ? undefined : 'RUNNER_NOT_FOUND']);
  if (runner !== undefined && 'done' in answer)
    issued(runner, answer.done.text, { now: world.clock.now(), overlapMs });
}

async function deleteRunner(world: World, id: string): Promise<void> {
  const runner = world.runners.get(id);
  await world.access.secrets.forget(id);
  if (runner === undefined) return;
  const texts = [...runner.former, ...runner.secrets.map(({ text }) => text)];
  world.orphans.push(...texts);
  runner.former.length = 0;
  runner.secrets = [];
  if (!runner.revoked) world.runners.delete(id);
}

async function create(world: World, terms: Extract<TokenStep, { kind: 'create' }>): Promise<void> {
  const { lifetimeMs, maxMachines, durable } = terms;
  const name = `token-${world.tokens.length}`;
  const made = await world.access.tokens.create({
    kind: 'enrollment',
    name,
    lifetimeMs,
    maxMachines,
    durable,
  });
  const expiresAt = world.clock.now() + lifetimeMs;
  const machines = new Set<string>();
  world.tokens.push({ name, text: made.token, expiresAt, maxMachines, durable, machines, revoked: false });
}

async function revokeToken(world: World, token: ModelToken): Promise<void> {
  await world.access.tokens.revoke(token.name);
  token.revoked = true;
}

async function revokeRunner(world: World, id: string): Promise<void> {
  const runner = world.runners.get(id);
  if (runner === undefined) return;
  await world.access.secrets.revoke(id);
  runner.revoked = true;
}

type Takers = {
  readonly [Kind in TokenStep['kind']]: (
    world: World,
    step: Extract<TokenStep, { kind: Kind }>,
  ) => Promise<void> | void | undefined;
};

const tokenOf = ({ tokens }: World, step: { readonly token: number }): ModelToken | undefined =>
  tokens.at(-1 - step.token);
const runnerIdOf = (step: { readonly runner: number }): string => idOf(`machine-${step.runner}`);

const TAKERS: Takers = {
  create,
  enroll(world, step) {
    const token = tokenOf(world, step);
    return token && enroll(world, token, machineOf(step));
  },
  return(world, step) {
    const runner = world.runners.get(runnerIdOf(step));
    return runner && comeBack(world, runner, { machine: machineOf(step), secret: step.secret });
  },
  rotate: (world, step) => rotate(world, runnerIdOf(step), step.overlapMs),
  'revoke-token'(world, step) {
    const token = tokenOf(world, step);
    return token && revokeToken(world, token);
  },
  'revoke-runner': (world, step) => revokeRunner(world, runnerIdOf(step)),
  'delete-runner': (world, step) => deleteRunner(world, runnerIdOf(step)),
  async restart(world) {
    world.access = await openAccess(world.store, world.clock);
  },
  advance: ({ clock }, { ms }) => clock.advance(ms),
};

const take = async (world: World, step: TokenStep): Promise<void> => {
  const taker = TAKERS[step.kind] as (taken: World, what: TokenStep) => Promise<void> | void | undefined;
  await taker(world, step);
};

/** What every token and every secret that was ever handed out comes to now. */
async function judgeAll(world: World): Promise<void> {
  const { access, tokens, runners, clock } = world;
  const now = clock.now();
  const identify = async (text: string): Promise<unknown> =>
    codeOf(await asked(() => access.identify(text, '127.0.0.1')));
  const listed = new Map(access.tokens.list().map((token) => [token.name, token]));
  for (const token of tokens) {
    const { name, text, maxMachines, machines } = token;
    const shown = listed.get(name);
    compare(world, `${name} is listed`, [shown?.state, stateOf(token, now)]);
    compare(world, `machines of ${name}`, [shown?.machines?.length, machines.size]);
    if (maxMachines !== null && machines.size > maxMachines) world.problems.push(`${name} let in too many`);
    compare(world, `${name} is shown`, [await identify(text), refusalOfToken(token, now)]);
    compare(world, `a guess at ${name}`, [await identify(`${text.slice(0, -1)}~`), 'CREDENTIAL_INVALID']);
  }
  for (const runner of runners.values())
    for (const text of [...runner.former, ...runner.secrets.map((one) => one.text)])
      compare(world, `a secret of ${runner.machine}`, [
        await identify(text),
        refusalOfSecret(runner, text, now),
      ]);
  for (const text of world.orphans)
    compare(world, 'a secret of a deleted runner', [await identify(text), 'CREDENTIAL_INVALID']);
}

async function clear(store: Store): Promise<void> {
  for (const collection of ['tokens', 'runner-secrets', 'session-keys'])
    for (const { id } of await store.loadRecords(collection))
      await store.commit([{ kind: 'remove-record', collection, id }]);
}

/** Plays a history against the model and says where the two differ. The store is left as it was found. */
export async function problemsOfTokens(steps: TokenHistory, store: Store): Promise<string[]> {
  const clock = createManualClock();
  const access = await openAccess(store, clock);
  const world: World = { store, clock, access, tokens: [], runners: new Map(), orphans: [], problems: [] };
  for (const step of steps) await take(world, step);
  await judgeAll(world);
  world.access = await openAccess(store, clock);
  await judgeAll(world);
  await clear(store);
  return world.problems;
}
