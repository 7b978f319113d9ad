import type { SecretEntry, SetSecretRequest } from '@controlplane/contracts';

/** What can be asked of the secrets. */
export interface SecretOperations {
  listSecrets(): Promise<SecretEntry[]>;
  /** Refuses with SECRETS_LOCKED. */
  setSecret(name: string, request: SetSecretRequest, actor?: string): Promise<SecretEntry>;
  /** Refuses with SECRET_NOT_FOUND. */
  deleteSecret(name: string, capability?: string, actor?: string): Promise<void>;
}
