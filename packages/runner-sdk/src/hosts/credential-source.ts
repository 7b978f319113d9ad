/**
 * What a runner proves itself with: an enrollment token or a runner secret. The text itself; a file that is read
 * again at each registration and reconnect; or a function that is asked each time.
 */
export type CredentialSource = string | { readonly file: string } | (() => string | Promise<string>);
