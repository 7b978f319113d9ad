// Writes schemas/contract-report.1.json from the schema in the built package.
import { writeFileSync } from 'node:fs';
import { z } from 'zod';
import { ContractReport } from '../dist/index.js';

const schema = { ...z.toJSONSchema(ContractReport), title: 'ContractReport' };
writeFileSync(
  new URL('../schemas/contract-report.1.json', import.meta.url),
  `${JSON.stringify(schema, null, 2)}\n`,
);
