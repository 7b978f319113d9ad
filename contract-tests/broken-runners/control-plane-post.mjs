/** How the runner asks its control plane. */

/** What the runner proves itself with: its token until a registration brings a session. */
function credentialOf({ broken, state }, path) {
  const isRegistration = path === '/runners/register';
  const { RUNNER_TOKEN: token } = process.env;
  if (isRegistration) return broken('security.sends-its-token') ? undefined : token;
  return broken('security.sends-its-session-credential') ? undefined : (state.session ?? token);
}

export function post(context, path, body) {
  const credential = credentialOf(context, path);
  const target = new URL(path, context.url);
  if (context.broken('security.keeps-credentials-out-of-urls') && credential)
    target.searchParams.set('token', credential);
  return fetch(target, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(credential ? { authorization: `Bearer ${credential}` } : {}),
    },
    body: JSON.stringify(body),
  });
}
