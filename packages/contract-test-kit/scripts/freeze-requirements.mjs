// Writes into src/requirements/1.0.yaml what its requirements are at the kit's release: from then on a test refuses
// every change of them, and what is added goes into later.yaml.
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { parse } from 'yaml';

const file = new URL('../src/requirements/1.0.yaml', import.meta.url);
const text = readFileSync(file, 'utf8');
const set = parse(text);
if (set.frozen) throw new Error(`frozen already, as ${set.frozen}`);
const digest = createHash('sha256').update(JSON.stringify(set.requirements)).digest('hex');
writeFileSync(file, text.replace(/^contract: .*$/m, `$&\nfrozen: ${digest}`));
