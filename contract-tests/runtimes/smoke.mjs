// Run by the slow tests under each runtime, as an ES module: one execution in process, then a blocked event loop.
import * as sdk from '@controlplane/runner-sdk';
import { z } from 'zod';
import { smoke } from './smoke-program.cjs';

await smoke(sdk, z);
