import { shell } from '@controlplane/capabilities/shell';

const folders = (process.env['READABLE_FOLDERS'] || './readable').split(':');

/** Looks at files of these folders and at the state of the machine; changes nothing. */
export const shellReadonly = shell({ profile: 'readonly', allow: folders });
