/** An element of a document, as tests look at it. */
export interface XmlElement {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: XmlElement[];
  text: string;
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function decode(text: string): string {
  return text.replaceAll(/&([^;]*);?/g, (whole, name: string) => {
    const code = /^#(\d+)$/.exec(name)?.[1];
    const character = code === undefined ? ENTITIES[name] : String.fromCodePoint(Number(code));
    if (character === undefined || !whole.endsWith(';')) throw new Error(`entity ${whole}`);
    return character;
  });
}

function readAttributes(text: string): Record<string, string> {
  const attributes: Record<string, string> = {};
  const rest = text.replaceAll(/\s+([\w-]+)="([^"<]*)"/g, (_whole, key: string, value: string) => {
    if (key in attributes) throw new Error(`attribute ${key} twice`);
    attributes[key] = decode(value);
    return '';
  });
  if (rest.trim() !== '') throw new Error(`attributes ${rest}`);
  return attributes;
}

/** Takes in one token of a document: text, the end of the innermost open element, or an element. */
function take(token: string, open: XmlElement[]): void {
  const inner = open.at(-1);
  const tag = /^<(\/?)([\w-]+)([\s\S]*?)(\/?)>$/.exec(token);
  if (!inner || (!tag && token.startsWith('<'))) throw new Error(`token ${token}`);
  if (!tag) {
    inner.text += decode(token);
    return;
  }
  const [, closes, name = '', attributes = '', empty] = tag;
  if (closes) {
    if (inner.name !== name) throw new Error(`</${name}> ends ${inner.name}`);
    open.pop();
    return;
  }
  const element = { name, attributes: readAttributes(attributes), children: [], text: '' };
  inner.children.push(element);
  if (!empty) open.push(element);
}

/** Reads a document without comments, sections and types; throws where it is not well-formed. */
export function parseXml(document: string): XmlElement {
  const body = document.replace(/^<\?xml version="1\.0" encoding="UTF-8"\?>\n/, '');
  const top: XmlElement = { name: '', attributes: {}, children: [], text: '' };
  const open = [top];
  for (const [token] of body.matchAll(/<[^>]*>|[^<]+/g)) take(token, open);
  const [root, ...others] = top.children;
  if (open.length !== 1 || others.length > 0 || !root || top.text.trim() !== '')
    throw new Error('not one root');
  return root;
}
