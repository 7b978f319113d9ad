import { defineConfig } from 'tsup';
import { library } from '../../tsup.shared.js';

// `node:sqlite` exists under that name alone.
export default defineConfig(library({ removeNodeProtocol: false }));
