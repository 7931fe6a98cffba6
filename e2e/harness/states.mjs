// What voters see once they have voted: states that only a press leads to. Each is
// opened in the order of the list by one visitor, whose next state follows from it.
import { randomUUID } from 'node:crypto';
import { crowd, reviewed, unscreened } from './contests.mjs';
import { embed } from './browser.mjs';
import { voteTag } from './host.mjs';
import { askCode, community, giveCode, press, voted } from './voter.mjs';

// states fills a Joute that sends its mails to box, and answers what to look at.
export async function states(joute, host, box) {
  // One visitor after the other presses as fast as the machine does, for the same entry:
  // together they are what screening asks for a challenge, and not the page that is looked for.
  for (const id of ['after', 'after-void']) await joute.apply(unscreened(id, community));
  await joute.apply(reviewed('after-held', { ...community, embed: { origins: [host.url] } }));
  await crowd(joute, 'after');

  const visitor = (page, lang, theme) => `${lang}-${theme}-${page.viewportSize().width}@example.org`;
  const at = (path, lang) => `${joute.url}${path}${path.includes('?') ? '&' : '?'}lang=${lang}`;
  const state = (name, open, quick = false) => ({ name, quick, open });
  // onEntry votes on the page of an entry.
  const onEntry = (id) => async (page, lang) => {
    await page.goto(at(`/c/${id}/e/azur-1`, lang));
    await voted(page, '.hero .vote');
  };
  const wrong = async (page, field, text) => {
    await page.fill(field, text);
    await page.evaluate(() => { document.querySelector('main form').noValidate = true; });
    await press(page, 'main .vote');
  };
  const framed = (name, contest) => state(name, async (page, lang, theme) => {
    await page.goto(host.page(`/${name}-${lang}-${theme}`, `<main lang="fr"><h1>Mon blog</h1>${await voteTag(joute, contest, 'vercors-1', { lang, theme })}</main>`, { style: ':root{color-scheme:light dark}' }));
    const frame = await embed(page);
    await frame.click('[data-joute=vote]');
    await frame.waitForSelector('[data-joute=confirm].armed');
    await frame.click('[data-joute=confirm]');
    await frame.waitForSelector('[data-joute=status] strong');
  });

  return [
    framed('frame-counted', 'open'),
    framed('frame-held', 'after-held'),
    state('window-counted', async (page, lang) => {
      await page.goto(at('/c/windows/e/azur-1/confirm', lang));
      await page.waitForSelector('[data-joute=confirm]:not(:disabled)');
      await press(page, '[data-joute=confirm]');
    }),
    state('after-counted', async (page, lang) => {
      await page.goto(at('/c/after', lang));
      await voted(page, page.locator('[data-rows=entries] [data-id="azur-1"] button.vote'));
    }, true),
    state('after-declined', (page) => press(page, '.choice a')),
    state('after-void', async (page, lang) => {
      await onEntry('after-void')(page, lang);
      const records = (await joute.ask('GET', '/v1/contests/after-void/ledger')).split('\n').filter(Boolean).map((line) => JSON.parse(line));
      await joute.call('POST', '/v1/contests/after-void/standings', { body: { ballots: [records.filter((record) => record.ballot).at(-1).ballot], standing: 'void', reason: 'same-voter' } });
      await onEntry('after-void')(page, lang);
    }),
    state('after-held', onEntry('after-held'), true),
    state('what', (page) => press(page, '#status a')),
    state('after-again', onEntry('after-held')),
    state('email', (page) => press(page, '.offer a')),
    state('email-vote', (page, lang) => page.goto(at(`/c/after-held/email?entry=azur-1&ballot=${randomUUID()}`, lang))),
    state('email-fault', async (page, lang) => {
      await page.goto(at('/c/after-held/email', lang));
      await wrong(page, '#email', 'ada@@example');
    }),
    state('code', (page, ...how) => askCode(page, visitor(page, ...how))),
    state('code-fault', (page) => wrong(page, '#code', '12345')),
    state('after-proven', (page, ...how) => giveCode(page, box, visitor(page, ...how))),
    state('fan-ticked', (page) => page.check('#fan-opt-in')),
    state('fan-fault', async (page) => {
      await page.uncheck('#fan-opt-in');
      await press(page, '.choice button');
    }),
    state('fan-parent', async (page) => {
      await page.check('#fan-opt-in');
      await page.check('#fan-under');
      await press(page, '.choice button');
    }),
    state('fan-parent-fault', (page) => press(page, '.choice button')),
    state('fan-young', (page, lang) => page.goto(at('/c/after-held/fan?age=under', lang))),
    state('fan-asked', async (page, ...how) => {
      await onEntry('after-held')(page, ...how);
      await page.check('#fan-opt-in');
      await page.fill('#fan-email', visitor(page, ...how));
      await page.check('#fan-over');
      await press(page, '.choice button');
    }),
    state('fan-confirm', async (page, ...how) => page.goto(await box.link(visitor(page, ...how), 2, 'fan'))),
    state('fan-in', (page) => press(page, 'main .vote')),
    state('fan-leave', (page) => press(page, 'main a[href*="/fan/leave/"]')),
    state('fan-left', (page) => press(page, 'main .vote')),
    state('fan-no-such-link', (page, lang) => page.goto(at('/fan/cut-short', lang))),
  ];
}
