// Writes the JSON Schemas of the reports to schemas/, from the schemas in the built package.
import { writeFileSync } from 'node:fs';
import { z } from 'zod';
import { ContractReport, ReportEvent } from '../dist/index.js';

function write(file, schema, title) {
  const text = JSON.stringify({ ...z.toJSONSchema(schema), title }, null, 2);
  writeFileSync(new URL(`../schemas/${file}`, import.meta.url), `${text}\n`);
}

write('contract-report.1.json', ContractReport, 'ContractReport');
write('contract-report-event.1.json', ReportEvent, 'ReportEvent');
