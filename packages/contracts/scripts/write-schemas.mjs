// Writes schemas/<Name>.json from the built package. A test fails while the files differ from the code.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { CONTRACT_SCHEMAS, contractJsonSchema } from '../dist/index.js';

const folder = new URL('../schemas/', import.meta.url);
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
for (const name of Object.keys(CONTRACT_SCHEMAS)) {
  writeFileSync(new URL(`${name}.json`, folder), `${JSON.stringify(contractJsonSchema(name), null, 2)}\n`);
}
