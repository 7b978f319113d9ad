import { describe, expect, it } from 'vitest';
import { leaseFromText, leaseToText } from './lease.js';

describe('a lease', () => {
  it.each([
    { executionId: 'x', token: 't', runnerId: 'r', instanceId: 'i', capabilityId: 'c', writes: true },
    { executionId: 'x', token: 't', runnerId: 'r', instanceId: undefined, capabilityId: 'c', writes: false },
  ])('is read as it was written (%#)', (lease) => {
    expect(leaseFromText(leaseToText(lease))).toEqual(lease);
  });
});
