import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { CASES } from '../cases/all-cases.js';
import { PLANE_CASES } from '../cases/plane-cases.js';
import { WIRE_RULES } from '../case/wire-rules.js';
import {
  findRequirement,
  isInForce,
  isScored,
  JUDGED_CONTRACT,
  readRequirementSet,
  Requirement,
  REQUIREMENTS,
} from './requirement.js';
import { selectRequirements } from './select-requirements.js';

describe('requirements and cases', () => {
  const ids = REQUIREMENTS.map(({ id }) => id);

  it('have unique ids', () => {
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('name each other: no requirement without a case, no case without a requirement', () => {
    expect([...CASES.keys(), ...PLANE_CASES.keys()].toSorted()).toEqual(ids.toSorted());
  });

  it('include every rule of the wire', () => {
    expect(Object.keys(WIRE_RULES).filter((id) => !findRequirement(id))).toEqual([]);
  });

  it('cover every concern of the contract', () => {
    const concerns = new Set(ids.map((id) => id.split('.')[0]));
    expect(concerns).toEqual(
      new Set([
        'registration',
        'manifest',
        'heartbeat',
        'health',
        'execute',
        'errors',
        'streaming',
        'cancellation',
        'shutdown',
        'http',
        'security',
        'performance',
        'resilience',
        'websocket',
        'long-poll',
        'control-plane',
      ]),
    );
    expect(ids.length).toBeGreaterThanOrEqual(25);
  });
});

describe('the sets of requirements', () => {
  const { frozen, requirements } = readRequirementSet(JUDGED_CONTRACT);

  it('do not change once they are frozen', () => {
    // As the file has them, which is what was frozen: defaults of its schema may change.
    const file = new URL(`${JUDGED_CONTRACT}.yaml`, import.meta.url);
    const { requirements: written } = parse(readFileSync(file, 'utf8')) as { requirements: unknown };
    const digest = createHash('sha256').update(JSON.stringify(written)).digest('hex');
    expect(frozen, 'what comes after the release goes into later.yaml').toBe(digest);
  });

  it('score those of the judged contract, and no other', () => {
    expect(REQUIREMENTS.filter(isScored).map(({ id }) => id)).toEqual(
      requirements.filter((requirement) => isInForce(requirement)).map(({ id }) => id),
    );
    expect(readRequirementSet('later').requirements.filter(isScored)).toEqual([]);
  });

  it('keep a requirement until the contract version that has it no more', () => {
    expect(isInForce({ until: undefined })).toBe(true);
    expect(isInForce({ until: '1.2' }, '1.1')).toBe(true);
    expect(isInForce({ until: '1.2' }, '1.2')).toBe(false);
    expect(isInForce({ until: '1.2' }, '1.10')).toBe(false);
    expect(isInForce({ until: '1.2' }, '2.0')).toBe(false);
  });

  it('name contract versions by major and minor', () => {
    const [first] = REQUIREMENTS;
    expect(Requirement.safeParse({ ...first, until: '1.1' }).success).toBe(true);
    expect(Requirement.safeParse({ ...first, since: '1.0.0' }).success).toBe(false);
  });
});

describe('selectRequirements', () => {
  it('takes ids and globs', () => {
    const { selected, unmatched } = selectRequirements({
      ids: ['health.answers', 'shutdown.*', 'nothing.*'],
    });
    expect(selected.map(({ id }) => id)).toContain('health.answers');
    expect(selected.every(({ id }) => id === 'health.answers' || id.startsWith('shutdown.'))).toBe(true);
    expect(unmatched).toEqual(['nothing.*']);
  });

  it('reads a dot as a dot', () => {
    expect(selectRequirements({ ids: ['healthXanswers'] }).selected).toEqual([]);
  });

  it('takes profiles, and both together', () => {
    const { selected } = selectRequirements({ ids: ['*.e*'], profiles: ['cancellation'] });
    expect(selected.map(({ id }) => id)).toEqual(['cancellation.ends-as-cancelled']);
  });
});
