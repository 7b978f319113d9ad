const LEGAL = /^[a-z][a-z0-9]*(?:[.-][a-z0-9]+)*$/;

/** Long enough for any name, short enough for a file's. */
const MAX_LENGTH = 100;

/** Why `id` cannot be a new capability's id, or undefined when it can. */
export function problemWithCapabilityId(id: string): string | undefined {
  if (id.length > MAX_LENGTH) return `it has ${id.length} characters, ${MAX_LENGTH} at most are allowed`;
  if (LEGAL.test(id)) return undefined;
  return 'use a-z and 0-9 with . or - between them, such as image.resize';
}

/** `image.resize` → its file (`image-resize`, `image_resize`) and what it is called in the program. */
export function namesOfCapability(id: string): { kebab: string; snake: string; camel: string } {
  const words = id.split(/[.-]/);
  const camel = words.map((word, index) => (index === 0 ? word : word[0]?.toUpperCase() + word.slice(1)));
  return { kebab: words.join('-'), snake: words.join('_'), camel: camel.join('') };
}
