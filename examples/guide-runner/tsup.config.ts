import { defineConfig } from 'tsup';

export default defineConfig({
  entry: ['src/main.ts', 'src/runner.ts'],
  format: ['esm'],
  target: 'node20',
  clean: true,
});
