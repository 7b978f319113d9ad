import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { chainRoot, checkChain, linkText, type Link } from './chain.js';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

function chainOf(chain: string, records: readonly string[]): Link[] {
  const links: Link[] = [];
  for (const [index, record] of records.entries()) {
    const body = { seq: index + 1, at: 10 * index, record };
    links.push({ ...body, hash: sha256(linkText(links.at(-1)?.hash ?? chainRoot(chain), body)) });
  }
  return links;
}

const links = chainOf('audit', ['1', '2', '3', '4', '5']);
const [one, two, three, four, five] = links as [Link, Link, Link, Link, Link];
const broken = (of: readonly Link[]): number | undefined => checkChain('audit', sha256).next(of)?.seq;

describe('a chain', () => {
  it.each<[string, readonly Link[], number | undefined]>([
    ['holds as it was written', links, undefined],
    ['holds while it is empty', [], undefined],
    ['breaks where a record was changed', [one, { ...two, record: '20' }, three], 2],
    ['breaks where a time was changed', [one, { ...two, at: 11 }, three], 2],
    ['breaks where a link was taken out', [one, two, four, five], 4],
    ['breaks where the first was taken out', [two, three], 2],
    ['breaks where two were exchanged', [one, three, two], 3],
    ['breaks where a link was written anew with a hash of its own', [one, { ...two, hash: sha256('2') }], 2],
    ['holds where old links were forgotten', [{ ...two, record: undefined }, three, four], undefined],
    [
      'breaks after what was forgotten where that was another',
      [{ ...one, seq: 2, record: undefined }, three],
      3,
    ],
    ['breaks where one record in the middle was forgotten', [one, { ...two, record: undefined }, three], 2],
    ['breaks where another chain was put in its place', chainOf('truth', ['1', '2']), 1],
  ])('%s', (_, given, seq) => {
    expect(broken(given)).toBe(seq);
  });

  it('is checked a page at a time, and says how far it went', () => {
    const check = checkChain('audit', sha256);
    expect(check.next([one, two])).toBeUndefined();
    expect(check.next([three, four])).toBeUndefined();
    expect(check).toMatchObject({ links: 4, first: 1, last: { seq: 4, hash: four.hash } });
    expect(check.next([{ ...five, at: 0 }])).toMatchObject({
      seq: 5,
      reason: expect.stringContaining('older') as string,
    });
  });
});
