/** Where a language's runner names its capabilities. */
export interface NamingPlaces {
  /** Lines that import capabilities; the new one comes after the last. */
  readonly imports: RegExp;
  /** The list, its items as the first group. */
  readonly list: RegExp;
}

export const NAMING_PLACES = {
  TypeScript: {
    imports: /^import .* from '\.\/capabilities\/.*';?$/gm,
    list: /\bcapabilities: \[([^\]]*)\]/,
  },
  Python: { imports: /^from capabilities\..* import .*$/gm, list: /\bCAPABILITIES = \[([^\]]*)\]/ },
} as const satisfies Record<string, NamingPlaces>;

/** Where an item holds a list or a comment, the first `]` need not be the end of the list. */
const UNSURE = /\[|\/\/|\/\*|#/;

/**
 * Names a capability in the text of the program that starts the runner: imports it, and adds it to the list. Returns
 * undefined where the program is not written as the template had it.
 */
export function nameInRunner(
  text: string,
  places: NamingPlaces,
  added: { readonly importLine: string; readonly variable: string },
): string | undefined {
  const last = [...text.matchAll(places.imports)].at(-1);
  const list = places.list.exec(text);
  if (!last || !list || UNSURE.test(list[1] ?? '')) return undefined;
  const items = (list[1] ?? '').trim().replace(/,$/, '');
  const named = list[0].replace(/\[[^\]]*\]/, () => `[${items === '' ? '' : `${items}, `}${added.variable}]`);
  const withList = text.replace(list[0], () => named);
  const ending = text.includes('\r\n') ? '\r\n' : '\n';
  return withList.replace(last[0], () => `${last[0]}${ending}${added.importLine}`);
}
