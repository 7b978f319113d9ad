import { CONTRACT_VERSION_CURRENT, type RunnerCapability } from '@controlplane/contracts';
import type { AutomnRegistration } from '@controlplane/contracts/automn';
import { asIdentifier } from '../as-identifier.js';
import type { Announcement } from '../foreign-side.js';
import { RESULT_MEMBERS } from '../shell-capability.js';
import { AUTOMN_LANGUAGES, type AutomnLanguage } from './script-shim.js';

/** Where a runner names no limit, Automn's own is that of its host: four at once. */
const SLOTS = 4;

/** The languages that a runner says it has; all where it says nothing of that. */
function languagesOf({ runtimes }: AutomnRegistration): AutomnLanguage[] {
  const all = Object.keys(AUTOMN_LANGUAGES) as AutomnLanguage[];
  if (runtimes === undefined) return all;
  return all.filter((language) => Object.hasOwn(runtimes, AUTOMN_LANGUAGES[language]));
}

function scriptCapability(languages: readonly string[], slots: number): RunnerCapability {
  const text = { type: 'string' };
  const said = { type: 'array', items: { type: 'object' } };
  return {
    ...{ id: 'script.run', name: 'script.run', version: '1.0.0' },
    description: 'Runs a script, with all that the runner may do.',
    inputSchema: {
      type: 'object',
      properties: {
        language: { enum: [...languages] },
        code: { ...text, minLength: 1 },
        variables: {
          type: 'object',
          propertyNames: { pattern: '^[A-Za-z_][A-Za-z0-9_]*$' },
          additionalProperties: text,
        },
        input: {},
        exitCodes: { type: 'array', minItems: 1, items: { type: 'integer', minimum: 0, maximum: 255 } },
      },
      required: ['language', 'code'],
      additionalProperties: false,
    },
    outputSchema: {
      type: 'object',
      properties: { ...RESULT_MEMBERS, data: {}, logs: said, notifications: said, input: {} },
      required: [...Object.keys(RESULT_MEMBERS), 'logs', 'notifications'],
    },
    ...{ supportedJobTypes: [], maxConcurrency: slots, timeoutMs: 30_000 },
    ...{ resourceRequirements: { gpu: false }, effects: 'writes', announcesWrites: false },
  };
}

/**
 * A runner that registers.
 * @param id - as it calls itself
 */
export function announcementOf(id: string, registration: AutomnRegistration): Announcement {
  const { version = '0.0.0', os, platform, maxConcurrency, runtimes = {} } = registration;
  const slots = maxConcurrency ?? SLOTS;
  const languages = languagesOf(registration);
  return {
    ...{ name: id.slice(0, 128), version, contractVersion: CONTRACT_VERSION_CURRENT },
    // Of no language there are no scripts.
    capabilities: languages.length === 0 ? [] : [scriptCapability(languages, slots)],
    tags: ['automn'],
    labels: runtimes,
    machineId: asIdentifier(`automn:${id}`),
    ...(os !== undefined && platform !== undefined && { platform: { os, arch: platform } }),
    maxConcurrency: slots,
    delivery: { kind: 'websocket' },
  };
}
