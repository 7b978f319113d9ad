import { z } from 'zod';

/** How work reaches a runner. */
export const DeliveryKind = z.enum(['push', 'websocket', 'long-poll']);
export type DeliveryKind = z.infer<typeof DeliveryKind>;
