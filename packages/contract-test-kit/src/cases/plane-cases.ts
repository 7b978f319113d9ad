import type { PlaneCase } from '../case/plane-case.js';
import { planeCutLinkCases } from './control-plane-cut-links.js';
import { planeFateCases } from './control-plane-fates.js';
import { planeJobCases } from './control-plane-jobs.js';
import { planeRecordCases } from './control-plane-records.js';
import { planeRegistryCases } from './control-plane-registry.js';
import { planeWaitingCases } from './control-plane-waiting.js';

/** Every case about a control plane, by the id of the requirement that it judges. */
export const PLANE_CASES: ReadonlyMap<string, PlaneCase> = new Map(
  [
    ...planeRegistryCases,
    ...planeJobCases,
    ...planeFateCases,
    ...planeWaitingCases,
    ...planeRecordCases,
    ...planeCutLinkCases,
  ].map((item) => [item.id, item]),
);
