import { RunnerManifest, RunnerRegistrationRequest } from '@controlplane/contracts';
import type { Case, CaseContext } from '../case/case.js';
import { must, mustReply } from '../case/expect.js';
import { NotApplicable, NotEvaluable } from '../case/verdict.js';
import type { Exchange } from '../harness/exchange.js';

async function servedManifest({ runner }: CaseContext): Promise<Exchange> {
  const manifest = await runner.client.get('manifest');
  if (manifest.status === 404) throw new NotApplicable('the runner serves no manifest');
  return manifest;
}

function parseManifest(exchange: Exchange): RunnerManifest {
  const parsed = RunnerManifest.safeParse(exchange.json);
  const [issue] = parsed.success ? [] : parsed.error.issues;
  mustReply(
    parsed.success && exchange.status === 200,
    `200 and a RunnerManifest${issue ? ` (${issue.path.join('.') || '(body)'}: ${issue.message})` : ''}`,
    exchange,
  );
  return parsed.data;
}

const versions = (list: readonly { readonly id: string; readonly version: string }[]): string =>
  list
    .map(({ id, version }) => `${id}@${version}`)
    .toSorted()
    .join(', ');

async function served({ runner }: CaseContext): Promise<void> {
  const manifest = await runner.client.get('manifest');
  mustReply(manifest.status === 200, '200', manifest);
}

async function matchesRegistration(context: CaseContext): Promise<void> {
  const exchange = await servedManifest(context);
  const manifest = parseManifest(exchange);
  const registered = RunnerRegistrationRequest.safeParse(
    context.runner.controlPlane?.of('register').at(-1)?.json,
  );
  if (!registered.success) throw new NotEvaluable('no valid registration arrived');
  const expected = versions(registered.data.capabilities);
  const actual = versions(manifest.capabilities);
  must(expected === actual, { expected: `the registered ${expected}`, actual, exchange });
}

export const manifestCases: readonly Case[] = [
  { id: 'manifest.served', judge: served },
  {
    id: 'manifest.valid-message',
    judge: async (context) => void parseManifest(await servedManifest(context)),
  },
  { id: 'manifest.matches-registration', judge: matchesRegistration },
];
