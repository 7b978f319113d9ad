import { describe } from 'vitest';
import { deliverySuite } from './deliveries.suite.js';

describe('long-poll', () => {
  deliverySuite('long-poll');
});
