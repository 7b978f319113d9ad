// A capability whose file takes as long to be loaded in its thread as a test wants.
import { once } from 'node:events';
import { connect } from 'node:net';
import { env } from 'node:process';
import { isMainThread } from 'node:worker_threads';
import { defineCapability } from '@controlplane/runner-sdk';

// Until the test hangs up.
if (!isMainThread) await once(connect(Number(env.SLOW_MODULE_PORT), '127.0.0.1').resume(), 'close');

export const slowToLoad = defineCapability({
  id: 'slow.to-load',
  version: '1.0.0',
  description: 'Answers.',
  input: { '~standard': { version: 1, vendor: 'fixture', validate: (value) => ({ value }) } },
  inputJsonSchema: { type: 'object' },
  isolation: 'thread',
  module: import.meta.url,
  execute: () => 'done',
});
