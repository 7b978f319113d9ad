import { RunnerCapability } from '@controlplane/contracts';
import { describe, expect, it } from 'vitest';
import { demandOf } from './demand.js';
import { place, whyWaiting, type PlaceableRunner } from './placement.js';

const capability = (id: string, overrides: Partial<RunnerCapability> = {}): RunnerCapability =>
  RunnerCapability.parse({
    id,
    name: id,
    version: '1.0.0',
    description: '',
    inputSchema: {},
    outputSchema: {},
    supportedJobTypes: [],
    maxConcurrency: 5,
    ...overrides,
  });

const VITALS = {
  reported: 'healthy',
  lost: false,
  unheard: false,
  draining: false,
  unreachable: false,
  stalledMs: 0,
  blockedUntil: 0,
  blockedFor: 'busy',
} as const;
const runner = (name: string, overrides: Partial<PlaceableRunner> = {}): PlaceableRunner => ({
  id: `id-${name}`,
  name,
  capabilities: [],
  labels: undefined,
  platform: undefined,
  vitals: VITALS,
  slots: 10,
  active: 0,
  connected: true,
  hasRoom: true,
  activeOf: () => 0,
  ...overrides,
});

const echo = capability('echo');
const chosen = (runners: readonly PlaceableRunner[]): string | undefined =>
  place(
    runners.map((one) => ({ runner: one, capability: echo })),
    1_000,
  )?.runner.name;

describe('placement', () => {
  it.each<[string, PlaceableRunner[], string | undefined]>([
    ['the least loaded', [runner('a', { active: 5 }), runner('b', { active: 4 })], 'b'],
    [
      'the least loaded by share of its slots',
      [runner('a', { active: 2, slots: 4 }), runner('b', { active: 3, slots: 100 })],
      'b',
    ],
    ['by name where the load is equal', [runner('b'), runner('a')], 'a'],
    ['none that is full', [runner('a', { active: 10 })], undefined],
    ['none whose capability is full', [runner('a', { activeOf: () => 5 })], undefined],
    ['none whose link is full', [runner('a', { hasRoom: false })], undefined],
    ['none that drains', [runner('a', { vitals: { ...VITALS, draining: true } })], undefined],
    ['none that is lost', [runner('a', { vitals: { ...VITALS, lost: true } })], undefined],
    ['none that was not heard of', [runner('a', { vitals: { ...VITALS, unheard: true } })], undefined],
    ['none that is unhealthy', [runner('a', { vitals: { ...VITALS, reported: 'unhealthy' } })], undefined],
    ['none that was busy just now', [runner('a', { vitals: { ...VITALS, blockedUntil: 1_001 } })], undefined],
    ['one that was busy before', [runner('a', { vitals: { ...VITALS, blockedUntil: 1_000 } })], 'a'],
    ['one that is degraded', [runner('a', { vitals: { ...VITALS, reported: 'degraded' } })], 'a'],
    ['nobody where nobody is', [], undefined],
  ])('chooses %s', (_, runners, expected) => {
    expect(chosen(runners)).toBe(expected);
  });

  it('chooses the higher version where the load is equal, and the load before the version', () => {
    const offer = (name: string, version: string, active = 0) => ({
      runner: runner(name, { active }),
      capability: capability('echo', { version }),
    });
    const offers = [offer('a', '1.2.0'), offer('b', '1.10.0'), offer('c', '1.9.0')];
    expect(place(offers, 0)?.runner.name).toBe('b');
    expect(place([...offers.slice(0, 1), offer('b', '1.10.0', 1)], 0)?.runner.name).toBe('a');
  });

  it('passes over what its rate does not let through', () => {
    const rate = { admits: (now: number) => now >= 10, words: () => 'may begin 1 in 10 ms' };
    const offers = [{ runner: runner('a'), capability: echo, rate }];
    expect(place(offers, 9)).toBeUndefined();
    expect(place(offers, 10)).toBe(offers[0]);
  });

  it.each([
    [[], ['hello.greet'], 'no runner offers echo yet (known: hello.greet)'],
    [[], [], 'no runner offers echo yet (no runner is registered)'],
    [[], ['say.echo', 'hello.greet'], 'no runner offers echo yet (did you mean say.echo?)'],
    [[runner('a', { active: 10 })], ['echo'], 'a has no free slot (10 of 10 taken)'],
    [
      [runner('a', { vitals: { ...VITALS, draining: true } }), runner('b', { activeOf: () => 5 })],
      ['echo'],
      'a is draining, b runs 5 of at most 5 executions of echo',
    ],
    [[runner('a')], ['echo'], 'it is next in line'],
  ])('says why a job waits (%#)', (runners, known, reason) => {
    const offers = runners.map((one) => ({ runner: one, capability: echo }));
    const demand = demandOf({ type: 'x', payload: { type: 'echo' } });
    expect(whyWaiting(demand, offers, { now: 0, known: () => known, isOffered: false })).toBe(reason);
  });

  it('says what no runner has that offers the capability', () => {
    const placement = { labels: { region: 'eu', gpu: ['a100', 'h100'] }, runner: 'acme-*', version: '^2' };
    const demand = demandOf({ type: 'x', payload: { type: 'echo' }, placement });
    expect(
      whyWaiting(demand, [], {
        now: 0,
        known: () => expect.fail('nobody asked what is known'),
        isOffered: true,
      }),
    ).toBe('no runner that offers echo has version ^2, runner acme-*, labels region=eu gpu=a100|h100');
  });
});
