import type { FileReference } from '@controlplane/contracts';

/** No JSON begins so. */
const MARK = '@';

/** What stands for a result in the store where a file holds it. */
export const resultFileText = (file: FileReference): string => `${MARK}${JSON.stringify(file)}`;

/** The file that holds a stored result; undefined where the result itself is there. */
export function resultFileOf(text: string | undefined): FileReference | undefined {
  return text?.startsWith(MARK) ? (JSON.parse(text.slice(MARK.length)) as FileReference) : undefined;
}
