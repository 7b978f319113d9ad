import type { SecretBook } from '../access/secret-book.js';
import type { SecretOperations } from '../model/secret-operations.js';

/** Where nobody is asked who they are. */
const ANYONE = 'anyone';

/** What can be asked of the secrets. */
export function secretOperations(book: SecretBook): SecretOperations {
  return {
    listSecrets: async () => book.list(),
    setSecret: (name, request, actor = ANYONE) => book.set(name, request, actor),
    deleteSecret: (name, capability, actor = ANYONE) => book.delete(name, capability, actor),
  };
}
