import './node-version.mjs';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { buildStale } from './build-packages.mjs';
import { ensureInstalled } from './install.mjs';
import { main, Refusal, root, run } from './report.mjs';

// `pnpm bench` runs every benchmarks/*.bench.mjs one after the other; `pnpm bench overhead` only those so named.
await main(async () => {
  const folder = join(root, 'benchmarks');
  const [wanted = '', ...args] = process.argv.slice(2);
  const all = existsSync(folder)
    ? readdirSync(folder)
        .filter((name) => name.endsWith('.bench.mjs'))
        .sort()
    : [];
  const chosen = wanted.startsWith('-') ? all : all.filter((name) => name.includes(wanted));
  if (chosen.length === 0)
    throw new Refusal(`No benchmark is named "${wanted}". There are: ${all.join(', ') || 'none'}.`);
  await ensureInstalled();
  await buildStale();
  const passed = wanted.startsWith('-') ? [wanted, ...args] : args;
  const codes = [];
  for (const name of chosen) {
    console.log(`\n── ${name}`);
    codes.push((await run(process.execPath, [join(folder, name), ...passed])).code);
  }
  return Math.max(...codes);
});
