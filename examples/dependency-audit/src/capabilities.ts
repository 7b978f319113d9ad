import { CapabilityError, defineCapability, type CapabilityContext } from '@controlplane/runner-sdk';
import { z } from 'zod';
import { findDuplicates } from './duplicates.js';
import { countDistinct, findInstalledPackages, type InstalledPackage } from './installed-packages.js';
import { groupByLicense } from './licenses.js';

const Input = z.object({ dir: z.string().min(1).describe('A folder that contains node_modules.') });

const LicenseReport = z.object({
  packages: z.int().describe('Distinct name@version pairs.'),
  groups: z.array(
    z.object({
      license: z.string(),
      verdict: z.enum(['permissive', 'copyleft', 'unknown']),
      count: z.int(),
      packages: z.array(z.string()),
    }),
  ),
});
export type LicenseReport = z.infer<typeof LicenseReport>;

const DuplicateReport = z.object({
  packages: z.int().describe('Distinct name@version pairs.'),
  copies: z.int().describe('Places on disk that these are installed in.'),
  bytes: z.int().describe('Of all duplicates together.'),
  duplicates: z.array(
    z.object({
      name: z.string(),
      bytes: z.int(),
      versions: z.array(z.object({ version: z.string(), copies: z.int(), bytes: z.int() })),
    }),
  ),
});
export type DuplicateReport = z.infer<typeof DuplicateReport>;

const shared = { version: '1.0.0', input: Input, effects: 'none', timeoutMs: 300_000 } as const;

/** Which licenses the installed packages are under, and which of them a person should look at. */
export const licenses = defineCapability({
  ...shared,
  id: 'deps.licenses',
  description: 'Groups the packages installed in a folder by license and flags unknown and copyleft ones.',
  output: LicenseReport,
  async execute({ dir }, ctx) {
    const packages = await readInstallation(dir, ctx);
    await ctx.progress(0.8, 'judging licenses');
    const groups = groupByLicense(packages);
    for (const { license, verdict, count } of groups) {
      if (verdict !== 'permissive') ctx.log.warn(`${verdict} license`, { license, packages: count });
    }
    await ctx.progress(1, `${groups.length} licenses`);
    return { packages: countDistinct(packages), groups };
  },
});

/** Which packages are present in several versions, and what that costs. */
export const duplicates = defineCapability({
  ...shared,
  id: 'deps.duplicates',
  description: 'Finds the packages that are installed in several versions, with their size on disk.',
  output: DuplicateReport,
  async execute({ dir }, ctx) {
    const packages = await readInstallation(dir, ctx);
    const found = await findDuplicates(packages, {
      signal: ctx.signal,
      measuring: (name, index, total) => ctx.progress(0.5 + (index / total) * 0.5, `measuring ${name}`),
    });
    await ctx.progress(1, `${found.length} packages in several versions`);
    return {
      packages: countDistinct(packages),
      copies: packages.length,
      bytes: found.reduce((sum, { bytes }) => sum + bytes, 0),
      duplicates: found,
    };
  },
});

/** The first half of both: what is installed. How much there is shows only at the end, so the share approaches it. */
async function readInstallation(dir: string, ctx: CapabilityContext): Promise<readonly InstalledPackage[]> {
  ctx.log.info('reading installed packages', { dir });
  let due = 50;
  let reported = Promise.resolve();
  const found = (count: number): void => {
    if (count < due) return;
    due += 50;
    reported = ctx.progress(0.5 * (count / (count + 300)), `${count} packages`);
  };
  const { packages, unreadable } = await findInstalledPackages(dir, { signal: ctx.signal, found }).catch(
    (error: unknown) => {
      throw isMissing(error) ? notInstalled(dir) : error;
    },
  );
  await reported;
  for (const path of unreadable.slice(0, 20)) ctx.log.warn('package.json is not JSON', { path });
  ctx.log.info('installed packages read', {
    packages: countDistinct(packages),
    copies: packages.length,
    unreadable: unreadable.length,
  });
  await ctx.progress(0.5, `${countDistinct(packages)} packages`);
  return packages;
}

const isMissing = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');

const notInstalled = (dir: string): CapabilityError =>
  new CapabilityError('NOT_FOUND', `${dir} has no node_modules: install its packages first`, {
    retryable: false,
  });
