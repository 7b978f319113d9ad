import { existsSync } from 'node:fs';

// Imported first: what comes after it reads its settings.
if (existsSync('.env')) process.loadEnvFile('.env');
