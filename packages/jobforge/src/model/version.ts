/** Set when the package is built: the version in its package.json. */
declare const BUILT_VERSION: string | undefined;

/** JobForge's own version; `0.0.0-source` where its sources run unbuilt. */
export const JOBFORGE_VERSION: string = typeof BUILT_VERSION === 'string' ? BUILT_VERSION : '0.0.0-source';
