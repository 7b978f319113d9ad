import type {
  AccessToken,
  CreatedToken,
  RevokedRunner,
  RotatedSecret,
  SecretRotation,
  TokenCreation,
} from '@controlplane/contracts';

/** Who may ask what. Each change is on disk when it is answered; `actor` is who asked for it, for the audit trail. */
export interface AccessOperations {
  /** Refuses with TOKEN_CONFLICT or VALIDATION_ERROR. */
  createToken(request: TokenCreation, actor?: string): Promise<CreatedToken>;
  listTokens(): Promise<AccessToken[]>;
  /** Cuts off the runners that came with it. Refuses with TOKEN_NOT_FOUND. */
  revokeToken(name: string, actor?: string): Promise<AccessToken>;
  /** Refuses with RUNNER_NOT_FOUND. */
  revokeRunner(id: string, actor?: string): Promise<RevokedRunner>;
  /** Refuses with RUNNER_NOT_FOUND. */
  rotateRunnerSecret(id: string, request: SecretRotation, actor?: string): Promise<RotatedSecret>;
}
