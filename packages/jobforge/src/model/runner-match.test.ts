import { RunnerCapability, type Placement } from '@controlplane/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { demandOf, termsOf } from './demand.js';
import { matchOf, type RunnerTraits } from './runner-match.js';

const capability = (id: string, version: string, supportedJobTypes: string[] = []): RunnerCapability =>
  RunnerCapability.parse({
    ...{ id, name: id, version, description: '', inputSchema: {}, outputSchema: {}, supportedJobTypes },
  });

const images: RunnerTraits = {
  id: 'r1',
  name: 'images-1',
  capabilities: [capability('image.resize', '1.2.0', ['resize']), capability('image.resize', '2.0.0')],
  labels: { region: 'us', gpu: 'a100' },
  platform: { os: 'linux', arch: 'x64' },
};

const match = (placement?: Placement, overrides: Partial<RunnerTraits> = {}, type = 'image.resize') =>
  matchOf({ ...images, ...overrides }, demandOf({ type, payload: { type }, placement }));

describe('a runner', () => {
  it.each<[string, Placement | undefined, string]>([
    ['nothing in particular', undefined, '2.0.0'],
    ['an empty placement', {}, '2.0.0'],
    ['its id', { runner: 'r1' }, '2.0.0'],
    ['its name', { runner: 'images-1' }, '2.0.0'],
    ['a pattern of its name', { runner: 'image*-?' }, '2.0.0'],
    ['labels that it has', { labels: { region: 'us', gpu: ['h100', 'a100'] } }, '2.0.0'],
    ['its platform', { platform: { os: 'linux', arch: 'x64' } }, '2.0.0'],
    ['its platform by other names', { platform: { os: 'Linux', arch: 'amd64' } }, '2.0.0'],
    ['the lower of its versions', { version: '^1' }, '1.2.0'],
    ['any of its versions', { version: '>=1' }, '2.0.0'],
  ])('matches %s', (_, placement, version) => {
    expect(match(placement)).toMatchObject({ capability: { id: 'image.resize', version } });
  });

  it.each<[string, Placement, string, string]>([
    ['another version', { version: '^3' }, 'version', 'offers image.resize@1.2.0, image.resize@2.0.0'],
    ['another name', { runner: 'images-2' }, 'runner', 'is not images-2'],
    ['another label', { labels: { region: 'eu' } }, 'labels', 'labels.region is "us"'],
    ['none of some labels', { labels: { gpu: ['h100', 't4'] } }, 'labels', 'labels.gpu is "a100"'],
    ['a label that it has not', { labels: { zone: '' } }, 'labels', 'has no label zone'],
    ['a label of every object', { labels: { toString: 'x' } }, 'labels', 'has no label toString'],
    ['another platform', { platform: { arch: 'arm64' } }, 'platform', 'runs on linux/x64'],
    [
      'version before name',
      { version: '^3', runner: 'x' },
      'version',
      'offers image.resize@1.2.0, image.resize@2.0.0',
    ],
    ['name before labels', { runner: 'x', labels: { region: 'eu' } }, 'runner', 'is not x'],
  ])('refuses %s', (_, placement, ...[fails, reason]) => {
    expect(match(placement)).toEqual({ fails, reason });
  });

  it('refuses what it does not offer before all else, and takes what is asked by job type', () => {
    expect(match({ runner: 'x' }, {}, 'image.crop')).toEqual({
      fails: 'capability',
      reason: 'does not offer image.crop',
    });
    expect(match(undefined, {}, 'resize')).toMatchObject({ capability: { version: '1.2.0' } });
  });

  it('that does not say what it runs on is on no platform', () => {
    expect(match({ platform: { os: 'linux' } }, { platform: undefined })).toMatchObject({
      fails: 'platform',
    });
  });
});

describe('the key of a demand', () => {
  const word = fc.string({
    minLength: 1,
    maxLength: 4,
    unit: fc.constantFrom('a', ':', '\n', '1', '[', '"'),
  });
  const placement: fc.Arbitrary<Placement> = fc.record(
    {
      runner: word,
      affinity: word,
      labels: fc.dictionary(word, fc.oneof(word, fc.array(word, { minLength: 1, maxLength: 2 })), {
        maxKeys: 2,
      }),
      platform: fc.record({ os: word, arch: word }, { requiredKeys: [] }),
    },
    { requiredKeys: [] },
  );
  const wanted = fc.record({ type: word, payload: fc.record({ type: word }), placement });
  const asked = ({
    type,
    payload,
    placement: { runner, affinity, labels = {}, platform },
  }: Parameters<typeof termsOf>[0] & { placement: Placement }) =>
    JSON.stringify([
      ...[type, payload.type, runner, affinity, platform?.os, platform?.arch],
      Object.entries(labels)
        .map(([name, value]) => [name, typeof value === 'string' ? [value] : value.toSorted()])
        .toSorted(([left], [right]) => (String(left) < String(right) ? -1 : 1)),
    ]);

  it('is the same for the same terms and for no others', () => {
    fc.assert(
      fc.property(wanted, wanted, (left, right) => {
        expect(termsOf(left).key === termsOf(right).key).toBe(asked(left) === asked(right));
      }),
      { numRuns: 5_000 },
    );
  });

  it('does not depend on the order in which labels are written', () => {
    const key = (labels: Placement['labels']) =>
      demandOf({ type: 'x', payload: { type: 'x' }, placement: { labels } }).key;
    expect(key({ a: '1', b: ['2', '3'] })).toBe(key({ b: ['3', '2'], a: '1' }));
  });
});
