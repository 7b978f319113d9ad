import './node-version.mjs';
import { buildStale } from './build-packages.mjs';
import { ensureInstalled } from './install.mjs';
import { main } from './report.mjs';

// `pnpm build` builds what is stale, `pnpm build --all` everything.
await main(async () => {
  await ensureInstalled();
  await buildStale({ all: process.argv.includes('--all') });
});
