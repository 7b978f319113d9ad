import { describe, expect, it } from 'vitest';
import { readExplanations } from './explanation.js';
import { REQUIREMENTS } from './requirement.js';

describe('explanations', () => {
  it('are there for every requirement, and for nothing else', () => {
    expect([...readExplanations().keys()].toSorted()).toEqual(REQUIREMENTS.map(({ id }) => id).toSorted());
  });

  it('are sentences, each its own', () => {
    const texts = [...readExplanations().values()].flatMap(({ does, mend }) => [does, mend]);
    expect(texts.filter((text) => !/^[A-Z].*\.$/.test(text))).toEqual([]);
    expect(new Set(texts).size).toBeGreaterThan(texts.length - 5);
  });
});
