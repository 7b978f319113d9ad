import type { ScriptMessage, ScriptNotification } from './script-input.js';

/** Bytes of one message; more than a result may hold. */
const MAX_LINE_BYTES = 6 * 1024 * 1024;
const MAX_LOGS = 1_000;
const MAX_LOG_LENGTH = 8 * 1024;
const MAX_NOTIFICATIONS = 50;
const MAX_NOTIFICATION_LENGTH = 2_000;
const MAX_AUDIENCE_LENGTH = 128;
/** Characters of the JSON of a message's fields. */
const MAX_FIELDS_LENGTH = 8 * 1024;
/** Of one of them, where they are too long together. */
const MAX_FIELD_LENGTH = 1024;

/** Whom a script's channel speaks to while it runs. */
export interface ChannelListener {
  /** Replaces values of secrets in a text: before it is cut, or a half of one would stay. */
  readonly hide: (text: string) => string;
  readonly log: (message: ScriptMessage) => void;
  readonly progress: (fraction: number, message: string | undefined) => void;
  readonly notify: (notification: ScriptNotification) => void;
}

/** What a script says beside its output: lines of a word and base64 texts, on a descriptor of its own. */
export interface HelperChannel {
  write(chunk: Buffer): void;
  /** What was returned last, null when nothing was; and the first of what was logged and notified. */
  said(): {
    readonly data: unknown;
    readonly logs: readonly ScriptMessage[];
    readonly notifications: readonly ScriptNotification[];
  };
  /** Lines that were not understood. */
  readonly refused: number;
}

const decode = (word: string): string => Buffer.from(word, 'base64').toString('utf8');

/** Bash has no JSON of its own: what is none counts as a text. */
function toData(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

const LEVELS: readonly string[] = ['debug', 'info', 'warn', 'error'];
const isLevel = (level: string): level is ScriptMessage['level'] => LEVELS.includes(level);

/** Fields that are too long together: those that are short, and what is said in the place of the others. */
function shortened(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const kept: Record<string, unknown> = {};
  let room = MAX_FIELDS_LENGTH;
  for (const [name, value] of Object.entries(fields)) {
    const { length } = JSON.stringify(value);
    const shown = length > MAX_FIELD_LENGTH ? `[${length} characters left out]` : value;
    room -= name.length + JSON.stringify(shown).length;
    if (room < 0) break;
    kept[name] = shown;
  }
  return kept;
}

/** What goes with a message; undefined where it is no JSON object. */
function fieldsOf(json: string): Readonly<Record<string, unknown>> | undefined {
  const fields = toData(json);
  if (typeof fields !== 'object' || fields === null || Array.isArray(fields)) return undefined;
  const all = fields as Record<string, unknown>;
  return json.length > MAX_FIELDS_LENGTH ? shortened(all) : all;
}

/** The beginning of a text, never half of a character. */
const cut = (text: string, maxLength: number): string =>
  text.slice(0, maxLength).replace(text.length > maxLength ? /[\uD800-\uDBFF]$/ : '', '');

function messageOf(words: readonly string[], maxLength: number): ScriptMessage {
  const [level = '', text = '', json] = words;
  const fields = json === undefined ? undefined : fieldsOf(json);
  return {
    level: isLevel(level) ? level : 'info',
    message: cut(text, maxLength),
    ...(fields === undefined ? {} : { fields }),
  };
}

/** Cuts what comes into lines; a line that is too long is left out. */
function createLines(onLine: (line: string) => void): (chunk: Buffer) => void {
  let parts: Buffer[] = [];
  let bytes = 0;
  const add = (part: Buffer): void => {
    bytes += part.length;
    if (bytes <= MAX_LINE_BYTES) parts.push(part);
    else parts = [];
  };
  return (chunk) => {
    let start = 0;
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, start)) {
      add(chunk.subarray(start, end));
      onLine(bytes > MAX_LINE_BYTES ? '' : Buffer.concat(parts).toString('latin1'));
      parts = [];
      bytes = 0;
      start = end + 1;
    }
    add(chunk.subarray(start));
  };
}

/** Makes the reading end of a script's channel. */
export function createHelperChannel(listener: ChannelListener): HelperChannel {
  const logs: ScriptMessage[] = [];
  const notifications: ScriptNotification[] = [];
  let data: unknown = null;
  let refused = 0;
  const { hide } = listener;

  const TOLD: Readonly<Record<string, (words: readonly string[]) => void>> = {
    return: ([text = 'null']) => {
      data = toData(text);
    },
    log([level = '', text = '', ...more]) {
      const said = messageOf([level, hide(text), ...more], MAX_LOG_LENGTH);
      if (logs.length < MAX_LOGS) logs.push(said);
      listener.log(said);
    },
    notify(words) {
      const [level = '', text = '', whom = ''] = words;
      const audience = cut(hide(whom), MAX_AUDIENCE_LENGTH);
      const message = messageOf([level, hide(text)], MAX_NOTIFICATION_LENGTH);
      const said = audience === '' ? message : { ...message, audience };
      if (notifications.length >= MAX_NOTIFICATIONS) return;
      notifications.push(said);
      listener.notify(said);
    },
    progress([fraction = '', message]) {
      const value = Number(fraction);
      if (fraction.trim() === '' || Number.isNaN(value)) refused++;
      else listener.progress(value, message === '' ? undefined : message);
    },
  };
  const write = createLines((line) => {
    const [word = '', ...texts] = line.split(' ');
    if (Object.hasOwn(TOLD, word)) TOLD[word]?.(texts.map(decode));
    else refused++;
  });
  return {
    write,
    said: () => ({ data, logs, notifications }),
    get refused() {
      return refused;
    },
  };
}
