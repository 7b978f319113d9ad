import type { LinkListener } from '../links/runner-link.js';

/** An execution that stands for no job: it goes the way of all executions, and nothing of it is kept. */
export interface Probe {
  /** Its lease token. */
  readonly token: string;
  readonly listener: LinkListener;
}
