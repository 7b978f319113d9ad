// The same as smoke.mjs, as CommonJS.
const sdk = require('@controlplane/runner-sdk');
const { z } = require('zod');
const { smoke } = require('./smoke-program.cjs');

void smoke(sdk, z);
