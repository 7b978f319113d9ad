import type { SecretBook } from '../access/secret-book.js';
import { LIBRARY } from '../model/caller.js';
import type { SecretOperations } from '../model/secret-operations.js';

/** What can be asked of the secrets. */
export function secretOperations(book: SecretBook): SecretOperations {
  return {
    listSecrets: async () => book.list(),
    setSecret: (name, request, actor = LIBRARY) => book.set(name, request, actor),
    deleteSecret: (name, capability, actor = LIBRARY) => book.delete(name, capability, actor),
  };
}
