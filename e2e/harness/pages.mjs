// Every page there is, in every state that looks different.
import { contest, crowd, frozen, hidden, upcoming } from './contests.mjs';
import { embed } from './browser.mjs';
import { boardTag, voteTag } from './host.mjs';

// pages fills a Joute with contests and answers what to look at: a name, an
// address for a language and a theme, and whether a quick run looks too.
export async function pages(joute, host) {
  await joute.apply(contest('open', { embed: { origins: [host.url] } }));
  await joute.apply(contest('windows'));
  for (const make of [upcoming, hidden, frozen, contest]) await joute.apply(make(make === contest ? 'closed' : make.name));
  for (const id of ['open', 'windows', 'hidden', 'frozen', 'closed']) await crowd(joute, id);
  await joute.close('closed');
  const { receipt } = await joute.cast('open', 'garonne-1');

  const own = (name, path, quick = false) => ({ name, quick, open: (page, lang) => page.goto(`${joute.url}${path}${path.includes('?') ? '&' : '?'}lang=${lang}`) });
  const framed = (name, tag, quick = false) => ({
    name, quick,
    async open(page, lang, theme) {
      const html = `<main lang="fr"><h1>Mon blog</h1>${await tag({ lang, theme })}</main>`;
      await page.goto(host.page(`/${name}-${lang}-${theme}`, html, { style: ':root{color-scheme:light dark}' }));
      const frame = await embed(page);
      await frame.waitForFunction(() => performance.getEntriesByName('first-contentful-paint').length > 0);
    },
  });
  const pressed = (view) => ({
    ...view, name: `${view.name}-confirm`,
    async open(page, ...how) {
      await view.open(page, ...how);
      await page.frames()[1].click('[data-joute=vote]');
      await page.frames()[1].waitForSelector('[data-joute=confirm].armed');
    },
  });
  const vote = framed('vote-in-frame', (how) => voteTag(joute, 'open', 'azur-1', how), true);
  return [
    own('home', '/', true),
    own('contest', '/c/open', true),
    own('contest-voted', `/c/open?receipt=${receipt}`),
    own('contest-upcoming', '/c/upcoming'),
    own('contest-hidden', '/c/hidden'),
    own('contest-frozen', '/c/frozen'),
    own('contest-closed', '/c/closed'),
    own('generator', '/c/open/embed'),
    own('generator-board', '/c/windows/embed?kind=board'),
    own('window', '/c/windows/e/azur-1/confirm', true),
    own('no-such-contest', '/c/nowhere'),
    vote,
    pressed(vote),
    framed('vote-by-window', (how) => voteTag(joute, 'windows', 'azur-1', how)),
    framed('vote-closed', (how) => voteTag(joute, 'closed', 'azur-1', how)),
    framed('vote-no-such-entry', async (how) => (await voteTag(joute, 'open', 'azur-1', how)).replace('azur-1', 'nobody')),
    framed('board-in-frame', (how) => boardTag(joute, 'open', how), true),
    framed('board-hidden', (how) => boardTag(joute, 'hidden', how)),
  ];
}

export const languages = ['fr', 'en'];
export const themes = ['light', 'dark'];
