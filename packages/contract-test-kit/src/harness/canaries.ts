/** Planted in the environment of every runner that the kit starts; it must not come back. */
export const ENVIRONMENT_CANARY = 'kit-canary-9f3b7c51d2e84a60';

/** The session credential that every registration is answered with: for the header `authorization` alone. */
export const CREDENTIAL_CANARY = 'kit-session-7d02e6b94c1f4a38';

/** What a runner is given to register with, where a case gives it any. */
export const TOKEN_CANARY = 'kit-token-51c8f0a2e97b4d66';

/** Given with an execution, as the value of a secret. */
export const SECRET_CANARY = 'kit-secret-c4a1907be35d4f12';

/** Every value that the kit plants. */
export const CANARIES = [ENVIRONMENT_CANARY, CREDENTIAL_CANARY, TOKEN_CANARY, SECRET_CANARY] as const;
