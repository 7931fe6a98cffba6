// What pages of ours see of a vote: the same members as a frame's, none without
// scripts, and the same device by page, window and frame.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { contest } from '../harness/contests.mjs';
import { embed, launch, tabTo, visit, watch } from '../harness/browser.mjs';
import { host as serveHost, voteTag } from '../harness/host.mjs';
import { start } from '../harness/joute.mjs';

let joute, host, browser;
before(async () => { [joute, host, browser] = await Promise.all([start(), serveHost(), launch()]); });
after(async () => { await browser?.close(); host?.stop(); joute?.stop(); });

const many = (id, more) => contest(id, { rules: { ballots: { max: 9 } }, ...more });

// seen is the evidence of a contest's ballots, in their order.
async function seen(id) {
  const log = await joute.ask('GET', `/v1/contests/${id}/evidence`);
  return log.split('\n').filter(Boolean).map((line) => JSON.parse(line).evidence);
}

async function press(page, selector) {
  await Promise.all([page.waitForNavigation(), page.locator(selector).first().click()]);
  await page.waitForSelector('.status.good');
}

test('page, window and frame tell one device, how long it took, and that the button was seen', async (t) => {
  await joute.apply(many('same', { embed: { origins: [host.url] } }));
  // The screen of the machine: one that is pretended is not pretended to another site's frame.
  const page = await visit(t, browser, { viewport: { width: 800, height: 600 }, screen: { width: 800, height: 600 } });
  const faults = await watch(page);
  await page.goto(`${joute.url}/c/same/e/azur-1`);
  await page.waitForTimeout(400);
  await press(page, '.hero .vote');
  await page.goto(`${joute.url}/c/same/e/lumiere-1/confirm`);
  await press(page, '[data-joute=confirm]:enabled');
  await page.goto(host.page('/same', `<h1>Mon blog</h1>${await voteTag(joute, 'same', 'vercors-1')}`));
  const frame = await embed(page);
  await frame.click('[data-joute=vote]');
  await frame.waitForSelector('[data-joute=confirm].armed');
  await frame.click('[data-joute=confirm]');
  await frame.waitForSelector('[data-joute=status].good');

  const all = await seen('same');
  assert.equal(all.length, 3);
  for (const evidence of all) {
    assert.match(evidence.device, /^[\w-]{12}$/);
    assert.equal(evidence.device, all[0].device);
    assert.ok(evidence.dwell_ms >= 300 && evidence.confirm_ms >= 200 && evidence.confirm_ms <= evidence.dwell_ms, JSON.stringify(evidence));
    assert.equal(evidence.visible, true);
  }
  assert.deepEqual(faults.faults, []);
  assert.deepEqual(faults.kept.filter((what) => !what.startsWith('Set-Cookie')), [], 'nothing is kept in the browser');
});

test('by keyboard, from the middle of a long list: the button was seen', async (t) => {
  await joute.apply(many('keys'));
  const page = await visit(t, browser);
  await page.goto(`${joute.url}/c/keys`);
  for (let n = 0; n < 3; n++) await tabTo(page, 'button.vote');
  await page.waitForTimeout(300);
  await Promise.all([page.waitForNavigation(), page.keyboard.press('Enter')]);
  const [evidence] = await seen('keys');
  assert.equal(evidence.visible, true);
  assert.ok(evidence.confirm_ms >= 200, JSON.stringify(evidence));
});

// The control of both: what nobody looks at is told apart.
test('a form that a program sends from below the fold was not seen, and says so', async (t) => {
  await joute.apply(many('below'));
  const page = await visit(t, browser, { viewport: { width: 360, height: 300 } });
  await page.goto(`${joute.url}/c/below`);
  await page.waitForTimeout(300);
  await Promise.all([page.waitForNavigation(), page.evaluate(() => [...document.querySelectorAll('form button.vote')].pop().form.requestSubmit())]);
  const [evidence] = await seen('below');
  assert.equal(evidence.visible, false);
  assert.equal(evidence.confirm_ms, undefined);
});

test('another phone is another device; the same model is the same', async (t) => {
  await joute.apply(many('models'));
  for (const [width, timezoneId] of [[360, 'Europe/Paris'], [360, 'Europe/Paris'], [390, 'Europe/Paris'], [360, 'Europe/Lisbon']]) {
    const page = await visit(t, browser, { viewport: { width, height: 740 }, screen: { width, height: 740 }, timezoneId });
    await page.goto(`${joute.url}/c/models/e/azur-1`);
    await press(page, '.hero .vote');
  }
  const devices = (await seen('models')).map((evidence) => evidence.device);
  assert.equal(devices[0], devices[1]);
  assert.equal(new Set(devices).size, 3);
});

test('JavaScript off: the vote counts, and nothing of it is told', async (t) => {
  await joute.apply(many('off'));
  const page = await visit(t, browser, { javaScriptEnabled: false });
  await page.goto(`${joute.url}/c/off/e/azur-1`);
  await Promise.all([page.waitForNavigation(), page.locator('.hero .vote').click()]);
  const [evidence] = await seen('off');
  assert.equal(await joute.votes('off', 'azur-1'), 1);
  for (const member of ['device', 'dwell_ms', 'confirm_ms', 'visible']) assert.ok(!(member in evidence), member);
});
