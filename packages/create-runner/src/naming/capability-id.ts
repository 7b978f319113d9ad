const LEGAL = /^[a-z][a-z0-9]*(?:[.-][a-z0-9]+)*$/;

/** Long enough for any name, short enough for a file's. */
const MAX_LENGTH = 100;

/** Why `id` cannot be a new capability's id, or undefined when it can. */
export function problemWithCapabilityId(id: string): string | undefined {
  if (id.length > MAX_LENGTH) return `it has ${id.length} characters, ${MAX_LENGTH} at most are allowed`;
  if (LEGAL.test(id)) return undefined;
  return 'use a-z and 0-9 with . or - between them, such as image.resize';
}

/** What a capability is called in a program. */
export interface CapabilityNames {
  /** Of its file, without the extension. */
  readonly file: string;
  readonly variable: string;
}

/**
 * `image.resize` → `imageResizeCapability` in `image-resize`, in Python `image_resize_capability` in a module of that
 * name: without the suffix an id such as `delete`, `import`, `serve` or `z` would be a word of the language, or a name
 * that the program has already.
 */
export function namesOfCapability(id: string, language: 'TypeScript' | 'Python'): CapabilityNames {
  const words = id.split(/[.-]/);
  if (language === 'Python') {
    const snake = [...words, 'capability'].join('_');
    return { file: snake, variable: snake };
  }
  const camel = words.map((word, index) => (index === 0 ? word : word[0]?.toUpperCase() + word.slice(1)));
  return { file: words.join('-'), variable: `${camel.join('')}Capability` };
}
