import { expect, it } from 'vitest';
import { planUpgrade } from './plan-upgrade.js';

const lines = (...texts: string[]): string => texts.join('\n');
const plan = (file: string, [base, mine, next]: readonly (string | undefined)[]) => {
  const texts = (text: string | undefined) => (text === undefined ? {} : { [file]: text });
  return planUpgrade({ base: texts(base), mine: texts(mine), next: texts(next) });
};

it.each([
  ['nothing changed', ['a', 'a', 'a'], []],
  ['only the person changed it', ['a', 'mine', 'a'], []],
  ['both changed it alike', ['a', 'b', 'b'], []],
  ['only the template changed it', ['a', 'a', 'b'], [{ kind: 'updated', text: 'b' }]],
  ['the template has it since', [undefined, undefined, 'b'], [{ kind: 'added', text: 'b' }]],
  ['both have it since', [undefined, 'mine', 'b'], [{ kind: 'kept' }]],
  ['the template dropped it', ['a', 'a', undefined], [{ kind: 'removed' }]],
  ['the template dropped what the person changed', ['a', 'mine', undefined], [{ kind: 'kept' }]],
  ['the person removed it', ['a', undefined, 'a'], []],
  ['the person removed what the template changed', ['a', undefined, 'b'], [{ kind: 'kept' }]],
  ['both removed it', ['a', undefined, undefined], []],
] as const)('where %s', (_, versions, changes) => {
  expect(plan('x', versions)).toEqual(changes.map((change) => expect.objectContaining(change)));
});

it('keeps the changes of both where they are in different places', () => {
  const [change] = plan('x', [
    lines('1', '2', '3', '4', '5'),
    lines('1', 'mine', '3', '4', '5'),
    lines('1', '2', '3', '4', 'next'),
  ]);
  expect(change).toMatchObject({ kind: 'merged', text: lines('1', 'mine', '3', '4', 'next') });
});

it('marks the places where both changed the same', () => {
  const [change] = plan('x', [lines('1', '2', '3'), lines('1', 'mine', '3'), lines('1', 'next', '3')]);
  expect(change).toMatchObject({ kind: 'conflict', note: expect.stringContaining('1 place') });
  expect(change?.text).toBe(lines('1', '<<<<<<< yours', 'mine', '=======', 'next', '>>>>>>> template', '3'));
});

it.each([
  [
    'takes no other ending of lines for a change',
    ['1\n2\n', '1\r\n2\r\n', '1\nnext\n'],
    { kind: 'updated', text: '1\r\nnext\r\n' },
  ],
  [
    'merges them',
    ['1\n2\n3\n', 'mine\r\n2\r\n3\r\n', '1\n2\nnext\n'],
    { kind: 'merged', text: 'mine\r\n2\r\nnext\r\n' },
  ],
] as const)('in a checkout with CRLF it %s, and keeps the ending', (_, versions, change) => {
  expect(plan('x', versions)).toEqual([{ path: 'x', ...change }]);
});

it('merges package.json key by key, keeps a version that both changed, and says so', () => {
  const manifest = (dependencies: object, more: object = {}): string =>
    `${JSON.stringify({ name: 'x', ...more, dependencies }, null, 2)}\n`;
  const [change] = plan('package.json', [
    manifest({ sdk: '1.0.0', zod: '4.0.0', gone: '1.0.0' }),
    manifest({ sdk: '1.0.0', zod: '4.1.0', gone: '1.0.0', mine: '3.0.0' }, { private: true }),
    manifest({ sdk: '2.0.0', zod: '4.2.0', added: '1.0.0' }),
  ]);
  expect(change).toMatchObject({ kind: 'conflict', note: expect.stringContaining('dependencies.zod') });
  expect(JSON.parse(change?.text ?? '')).toEqual({
    name: 'x',
    private: true,
    dependencies: { sdk: '2.0.0', zod: '4.1.0', mine: '3.0.0', added: '1.0.0' },
  });
});

it('marks a package.json that is no JSON line by line', () => {
  const [change] = plan('package.json', ['{}', '{ broken', '{"name":"x"}']);
  expect(change?.text).toContain('<<<<<<< yours');
});
