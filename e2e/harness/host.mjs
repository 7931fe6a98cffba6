// Pages of somebody else: whatever a test registers, on 127.0.0.1.
import { createServer } from 'node:http';

export async function host() {
  const pages = new Map();
  const server = createServer((request, response) => {
    const page = pages.get(new URL(request.url, 'http://host').pathname);
    response.writeHead(page ? 200 : 404, { 'content-type': 'text/html; charset=utf-8', ...page?.headers });
    response.end(page?.html);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  return {
    url: `http://127.0.0.1:${port}`, other: `http://localhost:${port}`,
    // page puts HTML at a path and answers its address.
    page(path, body, { headers, style = '' } = {}) {
      const html = `<!doctype html><html lang="fr"><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>Le blog</title><link rel="icon" href="data:,"><style>${style}</style><body>${body}`;
      pages.set(path, { html, headers });
      return `http://127.0.0.1:${port}${path}`;
    },
    stop: () => server.close(),
  };
}

// snippet is what our generator gives a page owner to paste.
async function snippet(joute, contest, asked) {
  const answer = await fetch(`${joute.url.replace('localhost', '127.0.0.1')}/c/${contest}/embed?${new URLSearchParams(asked)}`, { headers: { host: new URL(joute.url).host } });
  const [, code] = /<textarea id="script"[^>]*>([^<]*)</.exec(await answer.text());
  const text = code.replace(/&(lt|gt|amp|quot|#34|#39);/g, (_, name) => ({ lt: '<', gt: '>', amp: '&', quot: '"', '#34': '"', '#39': "'" })[name]);
  return text.replaceAll('//127.0.0.1', '//localhost');
}

export const voteTag = (joute, contest, entry, { lang = '', theme = '' } = {}) => snippet(joute, contest, { entry, widget: lang, theme });
export const boardTag = (joute, contest, { lang = '', theme = '' } = {}) => snippet(joute, contest, { kind: 'board', widget: lang, theme });
