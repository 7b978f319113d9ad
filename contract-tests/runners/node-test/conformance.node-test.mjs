// A suite of `node --test` as a user writes it. The runner is named by the test that starts this file.
import { describeConformance } from '@controlplane/contract-test-kit/node-test';

describeConformance({ kind: 'command', command: process.env.RUNNER_COMMAND ?? '' }, { run: ['health.*'] });
