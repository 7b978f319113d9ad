import { RunnerFrame, type ErrorDetail } from '@controlplane/contracts';
import { JobForgeError } from '../model/job-forge-error.js';
import { HTTP_LIMITS } from './http-limits.js';
import { isNestedDeeperThan } from '../model/json-depth.js';

const KNOWN: ReadonlySet<unknown> = new Set(RunnerFrame.options.map((option) => option.shape.type.value));

function malformed(message: string, details: ErrorDetail[] = []): JobForgeError {
  return new JobForgeError('VALIDATION_ERROR', {
    message,
    details,
    remedy: 'Send frames as the contract describes them.',
  });
}

function parse(bytes: Buffer): unknown {
  if (isNestedDeeperThan(bytes, HTTP_LIMITS.maxDepth))
    throw malformed(`A frame nests arrays and objects deeper than ${HTTP_LIMITS.maxDepth} levels.`);
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    throw malformed('A frame is not valid JSON.');
  }
}

/**
 * Reads one message of a runner.
 * @returns the frame; undefined where it is of a type that is not known here
 * @throws JobForgeError VALIDATION_ERROR, naming each wrong place
 */
export function readFrame(bytes: Buffer, isBinary: boolean): RunnerFrame | undefined {
  if (isBinary) throw malformed('Frames are text messages; a binary one came.');
  const value = parse(bytes);
  if (typeof value !== 'object' || value === null || !('type' in value) || typeof value.type !== 'string')
    throw malformed('A frame is a JSON object with a `type`.');
  if (!KNOWN.has(value.type)) return undefined;
  const frame = RunnerFrame.safeParse(value);
  if (frame.success) return frame.data;
  const details = frame.error.issues.slice(0, HTTP_LIMITS.maxDetails).map(({ path, message, code }) => ({
    path: path.map(String),
    message,
    code,
  }));
  const [first] = details;
  throw malformed(
    `A frame of type ${value.type} does not match its schema: ${first?.path.join('.')}: ${first?.message}`,
    details,
  );
}
