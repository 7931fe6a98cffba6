// The harness itself: a state that pages are looked at in is reached whatever the
// visitors before did, and how fast.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { contest } from '../harness/contests.mjs';
import { launch, slowly, visit } from '../harness/browser.mjs';
import { host as serveHost } from '../harness/host.mjs';
import { start } from '../harness/joute.mjs';
import { mailbox } from '../harness/mail.mjs';
import { pages } from '../harness/pages.mjs';
import { voted } from '../harness/voter.mjs';

let joute, host, box, browser, views;
before(async () => {
  [box, host, browser] = await Promise.all([mailbox(), serveHost(), launch()]);
  joute = await start({ smtp: box.smtp });
  views = await pages(joute, host, box);
});
after(async () => { await browser?.close(); host?.stop(); joute?.stop(); box?.stop(); });

// What the tests' visitors show when a machine is steady: each presses before the button
// was seen, and within the same 30 ms.
const pressed = { dwell_ms: 100, visible: false };

async function manyPress(id) {
  for (let n = 0; n < 12; n++) {
    const { pass } = await joute.call('POST', `/v1/contests/${id}/passes`, { body: { level: 'device' } });
    await joute.call('POST', `/v1/contests/${id}/ballots`, { pass, body: { ballot: randomUUID(), entry: 'azur-1', client: pressed } }).catch((error) => assert.match(error.message, /challenge/));
  }
}

// alike makes a visitor's page tell the same.
const alike = (page) => page.addInitScript((pressed) => {
  addEventListener('formdata', (e) => {
    e.formData.delete('confirm_ms');
    for (const [name, value] of Object.entries(pressed)) e.formData.set(name, String(value));
  });
}, pressed);

test('who votes after many who pressed alike is shown the vote, and nothing else first', async (t) => {
  await manyPress('after');
  const page = await visit(t, browser);
  await alike(page);
  await slowly(page);
  for (const name of ['challenge', 'after-counted', 'after-declined']) await views.find((view) => view.name === name).open(page, 'fr', 'light');
  assert.match(await page.locator('.after').innerText(), /on ne vous inscrit à rien/);
});

test('control: where screening decides, the same visitor is asked for a challenge, which is told at once; it can be solved, though the page of another was looked at before', async (t) => {
  await joute.apply(contest('alike'));
  await manyPress('alike');
  const page = await visit(t, browser);
  await alike(page);
  await slowly(page);
  await views.find((view) => view.name === 'challenge').open(page, 'fr', 'light');
  await page.goto(`${joute.url}/c/alike/e/azur-1?lang=fr`);
  await assert.rejects(voted(page, '.hero .vote'), /Encore une étape/);
  await page.evaluate(() => window.letGo());
  await page.waitForSelector('#status > .status');
  assert.equal(new URL(page.url()).pathname, '/c/alike/e/azur-1');
});
