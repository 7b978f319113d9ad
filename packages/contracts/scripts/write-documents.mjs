// Writes the documents of the two APIs into dist, from what has just been built there.
import { writeFileSync } from 'node:fs';
import { asyncApiDocument, openApiDocument } from '../dist/index.js';

const documents = {
  'openapi-jobforge': openApiDocument('jobforge'),
  'openapi-runner': openApiDocument('runner'),
  'asyncapi-jobforge': asyncApiDocument(),
};
for (const [name, document] of Object.entries(documents))
  writeFileSync(new URL(`../dist/${name}.json`, import.meta.url), `${JSON.stringify(document, null, 2)}\n`);
