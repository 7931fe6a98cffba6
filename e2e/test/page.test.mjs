// The contest page: a vote with and without JavaScript, by keyboard, pressed
// twice; numbers that move on somebody else's screen, unless told not to.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { contest, unscreened } from '../harness/contests.mjs';
import { launch, tabTo, visit } from '../harness/browser.mjs';
import { start } from '../harness/joute.mjs';
import { press } from '../harness/voter.mjs';

let joute, browser;
before(async () => { [joute, browser] = await Promise.all([start(), launch()]); });
after(async () => { await browser?.close(); joute?.stop(); });

async function open(t, path, options) {
  const page = await visit(t, browser, options);
  await page.goto(joute.url + path);
  return page;
}

const button = (page, entry) => page.locator(`[data-rows=entries] [data-id="${entry}"] button.vote`);
const status = (page) => page.locator('[role=status]').first();

test('a vote by form alone, JavaScript off', async (t) => {
  await joute.apply(contest('plain'));
  const page = await open(t, '/c/plain', { javaScriptEnabled: false });
  await button(page, 'azur-1').click();
  await page.waitForURL(/receipt=/);
  assert.match(await status(page).innerText(), /Motivé par la cafétéria/);
  assert.equal(await joute.votes('plain', 'azur-1'), 1);

  await button(page, 'azur-1').click();
  await page.waitForURL(/refused=already-voted/);
  assert.equal(await joute.counted('plain'), 1);
});

test('pressed twice, back, pressed again and reloaded: one vote', async (t) => {
  await joute.apply(contest('twice'));
  const page = await open(t, '/c/twice');
  await button(page, 'azur-1').dblclick();
  await page.waitForSelector('.status.good');
  await page.goBack();
  await button(page, 'azur-1').click();
  await page.waitForSelector('.status');
  await page.reload();
  assert.equal(await joute.counted('twice'), 1);
});

test('a vote by keyboard alone', async (t) => {
  await joute.apply(contest('keys'));
  const page = await open(t, '/c/keys');
  await tabTo(page, '[data-id="vercors-1"] .vote');
  await page.keyboard.press('Enter');
  await page.waitForSelector('.status.good');
  assert.equal(await joute.votes('keys', 'vercors-1'), 1);
});

test('the pause button holds the ranking, and lets it go on', async (t) => {
  await joute.apply(contest('pauses'));
  await joute.cast('pauses', 'lumiere-1');
  const page = await open(t, '/c/pauses');
  const pause = page.locator('[data-pause]');
  await pause.click();
  await joute.cast('pauses', 'azur-1');
  await joute.cast('pauses', 'azur-1');
  // Long enough for a page that moves: a second screen has moved meanwhile.
  const other = await open(t, '/c/pauses');
  await joute.cast('pauses', 'azur-1');
  await other.waitForFunction(() => document.querySelector('[data-total]').textContent === '4', null, { timeout: 5000 });
  assert.equal(await page.locator('[data-total]').innerText(), '1');
  await pause.click();
  await page.waitForFunction(() => document.querySelector('[data-total]').textContent === '4', null, { timeout: 5000 });
});

for (const reducedMotion of ['no-preference', 'reduce']) {
  test(`rows ${reducedMotion === 'reduce' ? 'do not slide for who asked for less motion' : 'slide to their place'}`, async (t) => {
    const id = `motion-${reducedMotion}`;
    await joute.apply(contest(id));
    await joute.cast(id, 'lumiere-1');
    const page = await open(t, `/c/${id}`, { reducedMotion });
    await page.evaluate(() => {
      window.slid = 0;
      const animate = Element.prototype.animate;
      Element.prototype.animate = function (...how) { window.slid++; return animate.apply(this, how); };
    });
    await joute.cast(id, 'azur-1');
    await joute.cast(id, 'azur-1');
    await page.waitForFunction(() => document.querySelector('[data-rows=entries] > li').dataset.id === 'azur-1', null, { timeout: 5000 });
    assert.equal(await page.evaluate(() => window.slid) > 0, reducedMotion !== 'reduce');
  });
}

test('what was refused or counted is told by a status region, once', async (t) => {
  await joute.apply(contest('tells'));
  const page = await open(t, '/c/tells');
  assert.equal(await page.locator('[role=status]').count(), 1);
  assert.equal((await status(page).innerText()).trim(), '');
  await button(page, 'azur-1').click();
  await page.waitForSelector('#status .status.good');
  assert.equal(await page.locator('[role=status]').count(), 1);
  await page.evaluate(() => {
    window.told = 0;
    new MutationObserver((changes) => { window.told += changes.length; }).observe(document.querySelector('#status'), { subtree: true, childList: true, characterData: true });
  });
  await joute.cast('tells', 'lumiere-1'); // a board that moves is not told
  await page.waitForFunction(() => document.querySelector('[data-total]').textContent === '2', null, { timeout: 5000 });
  assert.equal(await page.evaluate(() => window.told), 0);
});

test('a browser that votes in contest after contest is let in by all of them', async (t) => {
  const page = await visit(t, browser), id = (i) => `${'one-of-many-'.repeat(4)}${i}`;
  for (let i = 0; i < 30; i++) {
    await joute.apply(unscreened(id(i)));
    await page.goto(`${joute.url}/c/${id(i)}/e/azur-1`);
    await press(page, '.hero .vote');
    await page.waitForSelector('#status .good');
  }
  const kept = (await page.context().cookies()).map(({ name }) => name);
  assert.ok(kept.includes(`__Host-joute-${id(29)}`) && !kept.includes(`__Host-joute-${id(0)}`), `the oldest make room: ${kept}`);
});
