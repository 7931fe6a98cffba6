// A vote moves the ranking on somebody else's screen.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { contest } from '../harness/contests.mjs';
import { launch, visit } from '../harness/browser.mjs';
import { start } from '../harness/joute.mjs';

let joute, browser;
before(async () => { [joute, browser] = await Promise.all([start(), launch()]); });
after(async () => { await browser?.close(); joute?.stop(); });

test('a vote moves the ranking on another screen within a second', async (t) => {
  await joute.apply(contest('moves'));
  await joute.cast('moves', 'lumiere-1');
  const page = await visit(t, browser);
  await page.goto(`${joute.url}/c/moves`);
  const first = () => page.locator('[data-rows=entries] > li').first().getAttribute('data-id');
  assert.equal(await first(), 'lumiere-1');
  await joute.cast('moves', 'azur-1');
  const from = Date.now();
  await joute.cast('moves', 'azur-1');
  await page.waitForFunction(() => document.querySelector('[data-rows=entries] > li').dataset.id === 'azur-1', null, { polling: 20 });
  const took = Date.now() - from;
  t.diagnostic(`moved after ${took} ms`);
  assert.ok(took <= 1000, `moved after ${took} ms`);
});

test('a noun goes with its number, also when the number moves', async (t) => {
  await joute.apply(contest('nouns'));
  const page = await visit(t, browser), entry = await visit(t, browser), wall = await visit(t, browser);
  await page.goto(`${joute.url}/c/nouns`);
  await entry.goto(`${joute.url}/c/nouns/e/azur-1?lang=en`);
  await wall.goto(`${joute.url}/tv/nouns`);
  const rows = (kind, id) => page.locator(`[data-rows=${kind}] > [data-id="${id}"] [data-noun]`);
  const says = async (total, noun, english) => {
    await page.waitForFunction((total) => document.querySelector('.total').innerText.replace(/\s+/g, ' ') === total, total);
    await wall.waitForFunction((total) => document.querySelector('.total').innerText.replace(/\s+/g, ' ') === total, total);
    for (const row of [rows('schools', 'azur'), rows('entries', 'azur-1')]) assert.equal(await row.innerText(), noun);
    await entry.waitForFunction((english) => document.querySelector('[data-noun]').innerText === english, english);
  };
  await says('0 vote compté', 'vote', 'votes');
  await joute.cast('nouns', 'azur-1');
  await says('1 vote compté', 'vote', 'vote');
  await joute.cast('nouns', 'azur-1');
  await says('2 votes comptés', 'votes', 'votes');
  await page.reload();
  await says('2 votes comptés', 'votes', 'votes');
});

test('where the feed is refused the page asks from time to time', async (t) => {
  await joute.apply(contest('polls'));
  const page = await visit(t, browser);
  await page.route('**/feed', (route) => route.fulfill({ status: 503 }));
  await page.goto(`${joute.url}/c/polls`);
  await joute.cast('polls', 'azur-1');
  await page.waitForFunction(() => document.querySelector('[data-total]').textContent === '1', null, { timeout: 8000 });
});

test('offline it says since when its numbers are, and it comes back by itself', async (t) => {
  await joute.apply(contest('offline'));
  const page = await visit(t, browser);
  await page.goto(`${joute.url}/c/offline`);
  await page.waitForFunction(() => document.querySelector('[data-state]').textContent === 'En direct');
  await page.context().setOffline(true);
  await page.waitForFunction(() => /^Hors ligne\s: chiffres de \d\d:\d\d:\d\d$/.test(document.querySelector('[data-state]').textContent));
  await joute.cast('offline', 'azur-1');
  await page.context().setOffline(false);
  await page.waitForFunction(() => document.querySelector('[data-total]').textContent === '1' && document.querySelector('[data-state]').textContent === 'En direct', null, { timeout: 10_000 });
});

test('a question that nothing answers is given up: the page says so, and asks again', async (t) => {
  await joute.apply(contest('swallowed'));
  const page = await visit(t, browser);
  let asked = 0;
  await page.route('**/feed', (route) => route.fulfill({ status: 503 }));
  await page.route('**/leaderboard*', (route) => { if (asked++) route.continue(); }); // the first one is lost on its way
  await page.goto(`${joute.url}/c/swallowed`);
  await page.waitForFunction(() => /^Hors ligne/.test(document.querySelector('[data-state]').textContent));
  await joute.cast('swallowed', 'azur-1');
  await page.waitForFunction(() => document.querySelector('[data-total]').textContent === '1' && document.querySelector('[data-state]').textContent === 'En direct');
});

test('a page of more entries than a frame has gets them all', async (t) => {
  const many = contest('many');
  many.entries = Array.from({ length: 80 }, (_, i) => ({ id: `e-${i}`, school: many.schools[i % 8].id, title: `Candidature ${i}` }));
  await joute.apply(many);
  await joute.cast('many', 'e-79'); // the first 50 are known to be others, so it has to climb
  const page = await visit(t, browser);
  await page.goto(`${joute.url}/c/many`);
  for (let i = 0; i < 60; i++) await joute.cast('many', `e-${i}`);
  await page.waitForFunction(() => document.querySelectorAll('[data-rows=entries] [data-votes]').length === 80 &&
    [...document.querySelectorAll('[data-rows=entries] [data-votes]')].filter((b) => b.textContent === '1').length === 61,
    null, { timeout: 8000 });
});

test('a quiet feed is asked after, and left alone when nothing was missed', async (t) => {
  const many = contest('quiet');
  many.entries = Array.from({ length: 80 }, (_, i) => ({ id: `e-${i}`, school: many.schools[i % 8].id, title: `Candidature ${i}` }));
  await joute.apply(many);
  await joute.cast('quiet', 'e-1');
  const page = await visit(t, browser);
  const asked = { feed: 0, leaderboard: 0 };
  page.on('request', (request) => { const [what] = /feed$|leaderboard/.exec(request.url()) ?? []; if (what) asked[what]++; });
  await page.clock.install();
  await page.goto(`${joute.url}/c/quiet`);
  // The frame that comes at once makes a long page ask for all its rows, once.
  for (let i = 0; asked.leaderboard < 1; i++) { assert.ok(i < 100); await page.clock.runFor(1000); await page.waitForTimeout(50); }
  await page.waitForLoadState('load');
  const before = asked.leaderboard, answer = page.waitForResponse(/leaderboard/);
  await page.clock.fastForward(36_000);
  await answer;
  await page.clock.runFor(3000);
  await page.waitForTimeout(300);
  assert.deepEqual(asked, { feed: 1, leaderboard: before + 1 });
});

test('a new leader is told to who hears the page, and not more often than every 20 seconds', async (t) => {
  await joute.apply(contest('leads'));
  await joute.cast('leads', 'azur-1');
  const page = await visit(t, browser);
  await page.clock.install();
  await page.goto(`${joute.url}/c/leads`);
  await page.evaluate(() => {
    window.told = [];
    new MutationObserver(() => { window.told.push(document.querySelector('[role=status]').textContent); })
      .observe(document.querySelector('[role=status]'), { subtree: true, childList: true, characterData: true });
  });
  const led = (n) => page.waitForFunction((n) => document.querySelector('[data-total]').textContent === String(n), n);
  await joute.cast('leads', 'vercors-1');
  await joute.cast('leads', 'vercors-1');
  await led(3);
  assert.deepEqual(await page.evaluate(() => window.told), [], 'told at once');
  await page.clock.fastForward(21_000);
  await joute.cast('leads', 'vercors-1');
  await led(4);
  assert.deepEqual(await page.evaluate(() => window.told), ['Vercors Business School passe en tête.']);
  for (let i = 0; i < 5; i++) await joute.cast('leads', 'lumiere-1');
  await led(9);
  assert.equal(await page.evaluate(() => window.told.length), 1, 'told again within 20 seconds');
  await page.clock.fastForward(21_000);
  await joute.cast('leads', 'lumiere-1');
  await led(10);
  assert.deepEqual(await page.evaluate(() => window.told), ['Vercors Business School passe en tête.', 'École Lumière passe en tête.']);
});
