import { createReadStream } from 'node:fs';
import { ArtifactName, type Artifact } from '@controlplane/contracts';
import { isPath, type ArtifactContent, type ArtifactOptions } from '../capability/artifact-content.js';
import { RunnerError } from '../errors/runner-error.js';
import { overReason } from './announcements.js';
import type { LeftFile } from './execute.js';
import type { HandlerScope } from './handler-scope.js';
import { operationOf } from './outcome.js';
import type { RunningExecution } from './running-executions.js';

const ANY_TYPE = 'application/octet-stream';
const TEXT_TYPE = 'text/plain; charset=utf-8';

async function* piecesOf(content: ArtifactContent): AsyncGenerator<Uint8Array> {
  if (typeof content === 'string') return yield Buffer.from(content);
  if (content instanceof Uint8Array) return yield content;
  const pieces: AsyncIterable<Uint8Array | string> = isPath(content)
    ? createReadStream(content.path)
    : content;
  for await (const piece of pieces) yield typeof piece === 'string' ? Buffer.from(piece) : piece;
}

/** Undefined where it shows while it is read. */
function sizeOf(content: ArtifactContent): number | undefined {
  if (typeof content === 'string') return Buffer.byteLength(content);
  return content instanceof Uint8Array ? content.byteLength : undefined;
}

/** What a handler hands over as a file. */
export interface LeavingFile extends ArtifactOptions {
  readonly name: string;
  readonly content: ArtifactContent;
  /** Called while it is under way. */
  readonly onPiece: () => void;
}

function toFile(execution: RunningExecution, { name, content, contentType, onPiece }: LeavingFile): LeftFile {
  return {
    name,
    contentType: contentType ?? (typeof content === 'string' ? TEXT_TYPE : ANY_TYPE),
    bytes: sizeOf(content),
    isRepeatable: typeof content === 'string' || content instanceof Uint8Array || isPath(content),
    async *read() {
      for await (const piece of piecesOf(content)) {
        // What the handler did not wait for is given up.
        const over = overReason(execution);
        if (over) throw over;
        onPiece();
        yield piece;
      }
    },
  };
}

/**
 * Leaves a file with the job of an execution.
 * @returns what is said of it where it is kept; rejects with `ARTIFACT_REFUSED`, or with why the execution stops
 */
export async function leaveArtifact(
  scope: HandlerScope,
  execution: RunningExecution,
  leaving: LeavingFile,
): Promise<Artifact> {
  const over = overReason(execution);
  if (over) throw over;
  const { capability, files, request } = execution;
  const { name } = leaving;
  const refuse = (why: string): RunnerError =>
    new RunnerError('ARTIFACT_REFUSED', `${operationOf(capability)}: ${why}`);
  const named = ArtifactName.safeParse(name);
  if (!named.success)
    throw refuse(
      `${JSON.stringify(String(name).slice(0, 128))} cannot be the name of an artifact: ${named.error.issues[0]?.message ?? ''}`,
    );
  if (files === undefined)
    throw refuse(`there is no place for the artifact ${name}: who sent the execution takes no files`);
  return files.put(request, toFile(execution, leaving), scope.deadlines.signalOf(execution));
}
