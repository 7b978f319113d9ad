import { z } from 'zod';

/** One thing that `doctor` looked at. */
export const DoctorCheck = z.object({
  /** Such as `clock`: stays the same between versions. */
  id: z.string(),
  /** `warning` works and will not for ever; `failed` does not work; `skipped` could not be looked at. */
  status: z.enum(['ok', 'warning', 'failed', 'skipped']),
  /** What was found. */
  found: z.string(),
  /** What to do about it. */
  remedy: z.string().optional(),
});
export type DoctorCheck = z.infer<typeof DoctorCheck>;

/** What `doctor --json` prints. */
export const DoctorReport = z.object({
  /** Nothing has failed. */
  ok: z.boolean(),
  url: z.string(),
  checks: z.array(DoctorCheck),
});
export type DoctorReport = z.infer<typeof DoctorReport>;

export const ok = (id: string, found: string): DoctorCheck => ({ id, status: 'ok', found });

export const skipped = (id: string, found: string): DoctorCheck => ({ id, status: 'skipped', found });

export const warning = (id: string, found: string, remedy: string): DoctorCheck => ({
  ...{ id, status: 'warning', found, remedy },
});

export const failed = (id: string, found: string, remedy: string): DoctorCheck => ({
  ...{ id, status: 'failed', found, remedy },
});
