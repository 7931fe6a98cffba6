// Every page there is, in every state that looks different.
import { contest, crowd, frozen, hidden, priced, reviewed, upcoming } from './contests.mjs';
import { embed, signIn } from './browser.mjs';
import { key } from './joute.mjs';
import { boardTag, voteTag } from './host.mjs';
import { states } from './states.mjs';

// pages fills a Joute with contests and answers what to look at: a name, an
// address for a language and a theme, and whether a quick run looks too. Joute sends
// its mails to box.
export async function pages(joute, host, box) {
  await joute.apply(contest('open', { embed: { origins: [host.url] } }));
  await joute.apply(contest('windows'));
  for (const make of [upcoming, hidden, frozen, contest]) await joute.apply(make(make === contest ? 'closed' : make.name));
  for (const id of ['open', 'windows', 'hidden', 'frozen', 'closed']) await crowd(joute, id);
  await joute.close('closed');
  await joute.apply(contest('fresh'));
  await joute.apply(priced('priced'));
  const { receipt } = await joute.cast('open', 'garonne-1');
  const judged = await joute.cast('windows', 'garonne-1'), doubted = await joute.cast('windows', 'garonne-1');
  for (const [ballot, standing] of [[judged.ballot, 'void'], [doubted.ballot, 'held']]) {
    await joute.call('POST', '/v1/contests/windows/standings', { body: { ballots: [ballot], standing, reason: 'lockstep' } });
  }

  for (const id of ['reviewed', 'decided']) await joute.apply(reviewed(id));
  await crowd(joute, 'reviewed', { 'lumiere-1': 14, 'azur-1': 1 });
  const waits = await joute.cast('reviewed', 'garonne-1'), objects = await joute.cast('reviewed', 'vercors-1');
  await joute.call('POST', '/v1/contests/reviewed/standings', { body: { ballots: [objects.ballot], standing: 'void', reason: 'farm' } });
  for (const { ballot, receipt } of [objects, await joute.cast('reviewed', 'estuaire-1')]) {
    await joute.call('POST', `/v1/contests/reviewed/ballots/${ballot}/appeal`, { pass: receipt, body: { text: "Nous partageons un ordinateur à la bibliothèque.\nC'était bien moi." } });
  }
  for (const id of ['c4', 'c7']) {
    joute.knowFarm('reviewed', { id, entries: ['lumiere-1', 'azur-1'], members: 50, features: [], since: new Date(Date.now() - 3_600_000).toISOString(), expires: new Date(Date.now() + 3_600_000).toISOString() });
  }
  await joute.call('POST', '/v1/contests/reviewed/farms/c7/lift');

  // A page of organizers is for who has signed in.
  const signed = (view) => ({
    ...view,
    async open(page, ...how) {
      await view.open(page, ...how);
      if (!new URL(page.url()).pathname.endsWith('/login')) return;
      await signIn(page, joute, key);
      await view.open(page, ...how);
    },
  });
  const captain = async (contest) => new URL((await joute.call('POST', `/v1/contests/${contest}/captains`, { body: { school: 'lumiere' } })).url).pathname;
  const captains = { open: await captain('open'), hidden: await captain('hidden') };

  const own = (name, path, quick = false) => ({ name, quick, open: (page, lang) => page.goto(`${joute.url}${path}${path.includes('?') ? '&' : '?'}lang=${lang}`) });
  // A wall is dark unless its address says otherwise, whatever the machine prefers.
  const wall = (name, path, quick = false) => ({ name, quick, open: (page, lang, theme) => page.goto(`${joute.url}${path}${path.includes('?') ? '&' : '?'}lang=${lang}&theme=${theme}`) });
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
    own('contest-closed', '/c/closed', true),
    own('contest-fresh', '/c/fresh'),
    own('entry', '/c/open/e/lumiere-1', true),
    own('entry-voted', `/c/open/e/garonne-1?receipt=${receipt}`),
    own('entry-upcoming', '/c/upcoming/e/azur-1'),
    own('entry-hidden', '/c/hidden/e/azur-1'),
    own('entry-closed', '/c/closed/e/lumiere-1'),
    own('school', '/c/open/s/lumiere', true),
    own('school-fresh', '/c/fresh/s/azur'),
    own('school-hidden', '/c/hidden/s/lumiere'),
    own('school-closed', '/c/closed/s/lumiere'),
    own('captain', captains.open, true),
    own('captain-hidden', captains.hidden),
    own('no-such-captain', '/k/cut-short'),
    own('receipt', `/r/${receipt}`, true),
    own('receipt-void', `/r/${judged.receipt}`),
    own('receipt-held', `/r/${doubted.receipt}`),
    own('receipt-unproven', `/r/${waits.receipt}`, true),
    own('receipt-appealed', `/r/${objects.receipt}`),
    own('organize-login', '/organize/login?contest=reviewed', true),
    signed(own('organize', '/organize')),
    signed(own('held', '/organize/reviewed/held', true)),
    signed(own('farms', '/organize/reviewed/farms')),
    signed(own('farms-empty', '/organize/decided/farms')),
    signed(own('held-empty', '/organize/decided/held')),
    signed({
      name: 'held-confirm',
      async open(page, lang) {
        await page.goto(`${joute.url}/organize/reviewed/held?lang=${lang}`);
        const button = page.locator('form[method=get] button').first();
        if (await button.count()) await Promise.all([page.waitForURL(/confirm=1/), button.click()]);
      },
    }),
    {
      name: 'challenge', quick: false,
      // Without its script, which would solve it and go on. The visitor's next challenge has it again.
      async open(page, lang) {
        const script = '**/static/challenge.*';
        await page.route(script, (route) => route.fulfill({ contentType: 'text/javascript', headers: { 'cache-control': 'no-store' }, body: '' }));
        await page.goto(`${joute.url}/c/priced/e/azur-1?lang=${lang}`);
        await Promise.all([page.waitForURL('**/vote?*'), page.locator('button.vote').first().click()]);
        await page.unroute(script);
      },
    },
    own('no-such-receipt', '/r/cut-short'),
    own('no-such-school', '/c/open/s/nowhere'),
    { name: 'presence', quick: false, async open(page, lang) { await page.goto(`${await joute.presence('open')}?lang=${lang}`); } },
    own('presence-stale', '/p/none'),
    own('generator', '/c/open/embed'),
    own('generator-board', '/c/windows/embed?kind=board'),
    own('window', '/c/windows/e/azur-1/confirm', true),
    own('no-such-contest', '/c/nowhere'),
    wall('tv', '/tv/open', true),
    wall('tv-hall', await joute.hall('open')),
    wall('tv-upcoming', '/tv/upcoming'),
    wall('tv-hidden', '/tv/hidden'),
    wall('tv-frozen', '/tv/frozen'),
    wall('tv-closed', '/tv/closed'),
    vote,
    pressed(vote),
    framed('vote-by-window', (how) => voteTag(joute, 'windows', 'azur-1', how)),
    framed('vote-closed', (how) => voteTag(joute, 'closed', 'azur-1', how)),
    framed('vote-no-such-entry', async (how) => (await voteTag(joute, 'open', 'azur-1', how)).replace('azur-1', 'nobody')),
    framed('board-in-frame', (how) => boardTag(joute, 'open', how), true),
    framed('board-hidden', (how) => boardTag(joute, 'hidden', how)),
    ...await states(joute, host, box),
  ];
}

export const languages = ['fr', 'en'];
export const themes = ['light', 'dark'];
