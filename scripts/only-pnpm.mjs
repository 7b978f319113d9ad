// Stops a bare `npm install`, which would leave a half-working tree.
const agent = process.env['npm_config_user_agent'] ?? '';
if (!agent.startsWith('pnpm/')) {
  console.error(
    'This workspace is installed with pnpm. Run `npm start` or `npm test`: both set everything up by themselves.',
  );
  process.exit(1);
}
