import { afterAll, afterEach, beforeAll, describe } from 'vitest';
import { belonging } from './belonging.suite.js';
import { createActs } from './capabilities.js';
import { files } from './files.suite.js';
import { jobFiles } from './job-files.suite.js';
import { leaving } from './leaving.suite.js';
import { links } from './links.suite.js';
import { load } from './load.suite.js';
import { outcomes } from './outcomes.suite.js';
import { openStage, type DeliveryKind, type OpenStage, type Stage } from './stage.js';
import { stopping } from './stopping.suite.js';
import { telling } from './telling.suite.js';

/** Every behaviour that a runner shows over each delivery. */
export function deliverySuite(delivery: DeliveryKind): void {
  let shared: Stage;
  const opened: Stage[] = [];
  const stage = (): Stage => shared;
  const fresh: OpenStage = async (limits = {}) => {
    const own = await openStage(delivery, createActs(), { limits });
    opened.push(own);
    return own;
  };

  beforeAll(async () => {
    shared = await openStage(delivery, createActs());
    await shared.runner();
  });
  afterAll(() => shared.close());
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((own) => own.close()));
  });

  describe('outcomes', () => {
    outcomes(stage);
  });
  describe('what is told', () => {
    telling(stage);
  });
  describe('stopping', () => {
    stopping(stage);
  });
  describe('load', () => {
    load(stage, fresh);
  });
  describe('belonging', () => {
    belonging(stage, fresh);
  });
  describe('leaving', () => {
    leaving(fresh);
  });
  describe('files', () => {
    files(fresh);
    jobFiles(fresh);
  });
  describe('broken connections', () => {
    links(fresh);
  });
}
