/** A part of a value, by the way to it. */
export interface Part {
  /** Members and indices from the root on, such as `['pages', '3', 'html']`. */
  readonly path: readonly string[];
  /** Bytes of it as JSON. */
  readonly bytes: number;
}

const MAX_DEPTH = 20;
const MAX_KEY = 64;

const bytesOf = (value: unknown): number => Buffer.byteLength(JSON.stringify(value));

function largestMember(
  value: object,
): { readonly key: string; readonly member: unknown; readonly bytes: number } | undefined {
  let largest: { key: string; member: unknown; bytes: number } | undefined;
  for (const [key, member] of Object.entries(value)) {
    const bytes = bytesOf(member);
    if (bytes > (largest?.bytes ?? 0)) largest = { key, member, bytes };
  }
  return largest;
}

/**
 * Finds the part to blame for the size of a value: as deep as one member makes up more than half of what holds it.
 * Every level is measured, so it is for errors only.
 * @param json - the value as JSON
 * @returns undefined where the value has no members
 */
export function largestPart(json: string): Part | undefined {
  let within: unknown = JSON.parse(json);
  let bytes = Buffer.byteLength(json);
  const path: string[] = [];
  while (typeof within === 'object' && within !== null && path.length < MAX_DEPTH) {
    const largest = largestMember(within);
    // At the root it is named even so: of many parts of a size, one shows what they are.
    if (!largest || (path.length > 0 && largest.bytes * 2 <= bytes)) break;
    path.push(largest.key.slice(0, MAX_KEY));
    ({ member: within, bytes } = largest);
  }
  return path.length === 0 ? undefined : { path, bytes };
}

const IDENTIFIER = /^[A-Za-z_$][\w$]*$/;

/** Writes a path as JavaScript would: `output.pages[3]["a b"]`. */
export function writePath(root: string, path: readonly string[]): string {
  const steps = path.map((step) => {
    if (IDENTIFIER.test(step)) return `.${step}`;
    return /^\d+$/.test(step) ? `[${step}]` : `[${JSON.stringify(step)}]`;
  });
  return root + steps.join('');
}

/** `; its largest part is output.pages[3].html with 5000000 bytes`, or nothing where the value has no parts. */
export function sayLargestPart(json: string, root: string): string {
  const part = largestPart(json);
  return part ? `; its largest part is ${writePath(root, part.path)} with ${part.bytes} bytes` : '';
}
