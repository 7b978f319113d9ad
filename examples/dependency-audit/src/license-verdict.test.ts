import { describe, expect, test } from 'vitest';
import { judgeLicense, statedLicense, type Verdict } from './license-verdict.js';

describe('license verdict', () => {
  test.each<[string, Verdict]>([
    ['MIT', 'permissive'],
    ['BSD-3-Clause', 'permissive'],
    ['BlueOak-1.0.0', 'permissive'],
    ['GPL-3.0-only', 'copyleft'],
    ['LGPL-2.1+', 'copyleft'],
    ['AGPL-3.0-or-later', 'copyleft'],
    ['MPL-2.0', 'copyleft'],
    ['(MIT OR GPL-3.0-or-later)', 'permissive'],
    ['MIT AND MPL-2.0', 'copyleft'],
    ['MIT AND MPL-2.0 OR ISC', 'permissive'],
    ['(MIT OR ISC) AND (GPL-2.0-only OR EPL-1.0)', 'copyleft'],
    ['GPL-2.0-only WITH Classpath-exception-2.0', 'copyleft'],
    ['Apache-2.0 WITH LLVM-exception', 'permissive'],
    ['MIT OR SomethingElse', 'permissive'],
    ['MIT AND SomethingElse', 'unknown'],
    ['SEE LICENSE IN license.txt', 'unknown'],
    ['UNLICENSED', 'unknown'],
    ['none stated', 'unknown'],
    ['', 'unknown'],
    ['(MIT', 'unknown'],
    ['MIT OR', 'unknown'],
    ['MIT)', 'unknown'],
  ])('%s is %s', (expression, verdict) => {
    expect(judgeLicense(expression)).toBe(verdict);
  });
});

describe('stated license', () => {
  test.each<[object, string]>([
    [{ license: 'MIT' }, 'MIT'],
    [{ license: ' ISC ' }, 'ISC'],
    [{ license: { type: 'BSD', url: '…' } }, 'BSD'],
    [{ licenses: [{ type: 'MIT' }, { type: 'Apache License, Version 2.0' }] }, 'MIT OR Apache-2.0'],
    [{ license: 'Apache 2.0' }, 'Apache-2.0'],
    [{ license: 42 }, ''],
    [{}, ''],
  ])('of %j is "%s"', (manifest, license) => {
    expect(statedLicense({ ...manifest })).toBe(license);
  });
});
