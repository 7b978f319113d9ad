import { WebhookEvent, type Webhook } from '@controlplane/contracts';
import { InvalidArgumentError, type Command } from 'commander';
import type { CliContext } from './cli-context.js';
import { asClient, sessionOf, type ClientOptions } from './client-command.js';
import { printJson } from './json-output.js';
import { choice } from './option-values.js';
import { printTable } from './table.js';
import { toned } from './terminal.js';

interface AddOptions extends ClientOptions {
  readonly id?: string;
  readonly event?: readonly WebhookEvent[];
  readonly type?: readonly string[];
}

const eventOf = choice(WebhookEvent.options);

/** Gathers an option that may be given again and again. */
function gather<T>(read: (text: string) => T): (text: string, before: readonly T[] | undefined) => T[] {
  return (text, before = []) => [...before, read(text)];
}

function httpUrl(text: string): string {
  if (/^https?:\/\//.test(text) && URL.canParse(text)) return text;
  throw new InvalidArgumentError('expected a URL that begins with http:// or https://.');
}

/** `jobforge webhook …` */
export function addWebhookCommands(program: Command, context: CliContext): void {
  const webhook = program.command('webhook').description('whom the ends of jobs are told');
  asClient(webhook.command('add'))
    .argument('<target>', 'where the messages are sent', httpUrl)
    .description('tell a URL how jobs end; prints the key that signs, once')
    .option('--id <id>', 'the webhook’s own id')
    .option(
      '--event <event>',
      `only these ends, again for more: ${WebhookEvent.options.join(', ')}`,
      gather(eventOf),
    )
    .option('--type <type>', 'only jobs of this type or capability, again for more', gather(String))
    .addHelpText(
      'after',
      '\nWith --json: the webhook, with its `signingKey` by the Standard Webhooks scheme.',
    )
    .action(async (target: string, { id, event, type, ...options }: AddOptions) => {
      const { client, terminal, json } = sessionOf(context, options);
      const body = {
        url: target,
        ...(id === undefined ? {} : { id }),
        ...(event === undefined ? {} : { events: [...event] }),
        ...(type === undefined ? {} : { types: [...type] }),
      };
      const created = await client.call('createWebhook', { body });
      if (json) return printJson(terminal, 'webhook add', created);
      terminal.out(`webhook ${created.id}  ${created.url}`);
      terminal.out(`key  ${created.signingKey}`);
      terminal.out(toned(terminal, 'dim', 'Keep the key: it is not shown again.'));
    });
  asClient(webhook.command('list'))
    .description('list registered webhooks')
    .addHelpText('after', '\nWith --json: a list of webhooks, without their keys.')
    .action(async (options: ClientOptions) => {
      const { client, terminal, json } = sessionOf(context, options);
      const webhooks = await client.call('listWebhooks');
      if (json) return printJson(terminal, 'webhook list', webhooks);
      if (webhooks.length === 0) return terminal.out(toned(terminal, 'dim', 'no webhook is registered yet'));
      printTable<Webhook>(
        terminal,
        [
          { title: 'ID', value: ({ id }) => id },
          { title: 'URL', value: ({ url }) => url, flexible: true },
          { title: 'EVENTS', value: ({ events }) => events?.join(', ') ?? 'all', flexible: true },
          { title: 'TYPES', value: ({ types }) => types?.join(', ') ?? 'all', flexible: true },
        ],
        webhooks,
      );
    });
  addKeyAndRemove(webhook, context);
}

function addKeyAndRemove(webhook: Command, context: CliContext): void {
  asClient(webhook.command('remove <id>'))
    .description('remove a webhook, with what it has not been told yet')
    .addHelpText('after', '\nWith --json: {"id":…,"removed":true}.')
    .action(async (id: string, options: ClientOptions) => {
      const { client, terminal, json } = sessionOf(context, options);
      const removed = await client.call('deleteWebhook', { params: { id } });
      if (json) printJson(terminal, 'webhook remove', removed);
      else terminal.out(`webhook ${id}  removed`);
    });
  asClient(webhook.command('key'))
    .description('show the key that signs what is told of jobs whose own webhook names none')
    .addHelpText('after', '\nWith --json: {"signingKey":…}.')
    .action(async (options: ClientOptions) => {
      const { client, terminal, json } = sessionOf(context, options);
      const key = await client.call('webhookKey');
      if (json) printJson(terminal, 'webhook key', key);
      else terminal.out(key.signingKey);
    });
}
