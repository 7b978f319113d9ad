import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, it } from 'vitest';
import { followGuide } from './guide.js';

const guides = readdirSync(fileURLToPath(new URL('../../docs/guides', import.meta.url)));

describe.each(guides)('docs/guides/%s', (name) => {
  it('does what it says', () => followGuide(name));
});
