import type { FileReference, JobFile } from '@controlplane/contracts';
import { resultFileOf } from '../model/result-text.js';
import type { StoredJob } from '../store/store.js';

/** What a request says of the files that go with its job. */
export interface CarriedFiles {
  readonly files?: readonly JobFile[] | undefined;
  readonly payload: { readonly dataFile?: FileReference | undefined };
}

/** A file as it is given out. */
export interface GivenFile extends FileReference {
  readonly contentType: string;
}

const asJson = (reference: FileReference): GivenFile => ({ ...reference, contentType: 'application/json' });

/** Every file that a job names: those that it brings, its input and its result. */
export function filesOf({ head, end }: Pick<StoredJob, 'head' | 'end'>): GivenFile[] {
  const { files = [], payload } = JSON.parse(head) as CarriedFiles;
  const values = [payload.dataFile, resultFileOf(end?.data)].filter((file) => file !== undefined);
  return [...files, ...values.map(asJson)];
}

/** The members by which an execution request names the files of its job; empty where there are none. */
export function carriedText({ files, payload: { dataFile } }: CarriedFiles): string {
  const named = files === undefined || files.length === 0 ? '' : `,"files":${JSON.stringify(files)}`;
  return dataFile === undefined ? named : `${named},"payloadFile":${JSON.stringify(dataFile)}`;
}
