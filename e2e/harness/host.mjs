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

// voteTag is what a page owner pastes.
export const voteTag = (joute, contest, entry) =>
  `<script src="${joute.url}/embed/v1/loader.js" async></script><joute-vote contest="${contest}" entry="${entry}"><a href="${joute.url}/c/${contest}">Voter</a></joute-vote>`;
export const boardTag = (joute, contest) =>
  `<script src="${joute.url}/embed/v1/loader.js" async></script><joute-board contest="${contest}"><a href="${joute.url}/c/${contest}">Voir</a></joute-board>`;
