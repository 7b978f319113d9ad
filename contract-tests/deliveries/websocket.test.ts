import { describe } from 'vitest';
import { deliverySuite } from './deliveries.suite.js';

describe('websocket', () => {
  deliverySuite('websocket');
});
