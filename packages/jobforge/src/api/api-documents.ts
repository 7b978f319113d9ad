import { asyncApiDocument, openApiDocument } from '@controlplane/contracts';
import { JOBFORGE_VERSION } from '../model/version.js';

type ApiDocument = Record<string, unknown>;

/** The documents of this API. */
export interface ApiDocuments {
  openApi(): ApiDocument;
  asyncApi(): ApiDocument;
}

const once = (make: () => ApiDocument): (() => ApiDocument) => {
  let made: ApiDocument | undefined;
  return () => (made ??= make());
};

/** Makes each document when it is first asked for: few ever ask. */
export function createApiDocuments(): ApiDocuments {
  return {
    openApi: once(() => openApiDocument('jobforge', { version: JOBFORGE_VERSION })),
    asyncApi: once(() => asyncApiDocument({ version: JOBFORGE_VERSION })),
  };
}
