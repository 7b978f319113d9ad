import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { hostname } from 'node:os';
import { AUTOMN_PATHS, AUTOMN_SECRET_LENGTH, type AutomnStatus } from '@controlplane/contracts/automn';

/** What is told on top of the page, of what was just asked for. */
export interface Notice {
  readonly ok: boolean;
  readonly text: string;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
const escape = (text: string): string => text.replaceAll(/[&<>"']/g, (one) => ENTITIES[one] ?? one);

const STYLE = `:root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:44rem;margin:2rem auto;padding:0 1rem}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.25rem 1rem}dt{opacity:.7}dd{margin:0;overflow-wrap:anywhere}
input,button{font:inherit;padding:.4rem .6rem}.notice{border-left:.25rem solid;padding:.5rem 1rem}.bad{border-color:#c33}.good{border-color:#393}`;

/** Nothing is loaded from anywhere, nobody may frame it, and its forms lead nowhere else. */
export const PAGE_HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'no-store',
  'content-security-policy':
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
  'referrer-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
} as const;

function rows({ runner, config }: AutomnStatus): string {
  const shown: ReadonlyArray<readonly [string, string | null]> = [
    ['Runner', runner.runnerId],
    ['Control plane', runner.hostUrl],
    ['Jobs are posted to', runner.endpointUrl],
    ['Secret', !runner.secretConfigured ? 'not set' : runner.secretSource === 'env' ? 'configured' : 'kept'],
    ['Registered', runner.registeredAt],
    ['Last attempt', runner.lastRegistrationAttempt],
    ['Heartbeat', `every ${config.heartbeatInterval} ms`],
  ];
  return shown.map(([name, value]) => `<dt>${name}</dt><dd>${escape(value ?? '–')}</dd>`).join('');
}

const form = (action: string, csrf: string, inside: string): string =>
  `<form method="post" action="${action}"><input type="hidden" name="csrf" value="${csrf}">${inside}</form>`;

/** Whether a secret can be entered: before the first registration, and where there is none any more. */
export const mayEnter = ({ locked, secretConfigured, secretSource }: AutomnStatus['runner']): boolean =>
  secretSource === 'state' && (!locked || !secretConfigured);

function what({ runner }: AutomnStatus, csrf: string): string {
  if (mayEnter(runner))
    return `<h2>Register with Automn</h2>
<p>The secret is shown once, when the runner is created in the control plane (Settings → Runners).</p>
${form(
  AUTOMN_PATHS.register,
  csrf,
  `<label>Runner secret <input type="password" name="secret" required minlength="${AUTOMN_SECRET_LENGTH}" autocomplete="off"></label> <button>Register runner</button>`,
)}`;
  const state = runner.locked
    ? '<h2>Registered</h2><p>Nothing can be entered any more. To change the secret, post it to /internal/reset.</p>'
    : '<h2>Not registered yet</h2><p>It is tried again by itself.</p>';
  return `${state}${form(AUTOMN_PATHS.reregister, csrf, '<button>Register again now</button>')}`;
}

/** The page of a runner for whoever looks after it. It holds no secret, and of what others said only text. */
export function operatorPage(status: AutomnStatus, csrf: string, notice?: Notice): string {
  const told = notice ?? lastError(status);
  const shown = told
    ? `<p class="notice ${told.ok ? 'good' : 'bad'}" role="status">${escape(told.text)}</p>`
    : '';
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Automn Runner</title><style>${STYLE}</style></head>
<body><h1>Automn Runner</h1>${shown}<dl>${rows(status)}</dl>${what(status, csrf)}</body></html>`;
}

const lastError = ({ runner: { lastRegistrationError: error } }: AutomnStatus): Notice | undefined =>
  error === null ? undefined : { ok: false, text: error };

/** Tells requests of the runner's own page from those that another page makes a browser send. */
export interface PageGuard {
  /** For the forms of the page. */
  readonly csrf: string;
  /** Whether the request names this machine: a name that was made to lead here is none. */
  isAddressed(request: IncomingMessage): boolean;
  isOwnForm(request: IncomingMessage, csrf: unknown): boolean;
  /** Whether a browser may have been made to send it. */
  isOfBrowser(request: IncomingMessage): boolean;
}

function hostOf(url: string): string | undefined {
  try {
    return new URL(url).hostname;
  } catch {
    return undefined;
  }
}

/** @param endpoint - where the runner is reached, as the control plane is told */
export function createPageGuard(endpoint: () => string): PageGuard {
  const csrf = createHmac('sha256', randomBytes(32)).update('automn').digest('base64url');
  return {
    csrf,
    isAddressed({ headers }) {
      const name = hostOf(`http://${headers.host ?? ''}`);
      if (name === undefined) return false;
      const isAddress = isIP(name.replaceAll(/[[\]]/g, '')) !== 0;
      return isAddress || ['localhost', hostname().toLowerCase(), hostOf(endpoint())].includes(name);
    },
    isOwnForm({ headers }, given) {
      const { origin, host } = headers;
      if (origin !== undefined && origin !== 'null' && new URL(origin).host !== host) return false;
      const [own, sent] = [Buffer.from(csrf), Buffer.from(typeof given === 'string' ? given : '')];
      return own.length === sent.length && timingSafeEqual(own, sent);
    },
    isOfBrowser: ({ headers }) =>
      ['origin', 'referer', 'cookie', 'sec-fetch-site'].some((name) => headers[name] !== undefined) ||
      (headers['user-agent'] ?? '').startsWith('Mozilla/'),
  };
}
