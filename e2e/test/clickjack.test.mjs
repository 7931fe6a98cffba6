// A page that wants votes for nothing: it covers, fades, shrinks or moves our
// frame and talks the visitor into clicking where Vote and Confirm are. The
// visitor here clicks wherever they are told to, as often as it takes.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { contest } from '../harness/contests.mjs';
import { launch, visit } from '../harness/browser.mjs';
import { host as serveHost } from '../harness/host.mjs';
import { start } from '../harness/joute.mjs';

let joute, host, browser;
before(async () => { [joute, host, browser] = await Promise.all([start(), serveHost(), launch()]); });
after(async () => { await browser?.close(); host?.stop(); joute?.stop(); });

const src = (id, listed) => `${joute.url}/embed/${id}/azur-1${listed ? `?origin=${encodeURIComponent(host.url)}` : ''}`;
const frame = (id, listed, style = '') => `<iframe width="340" height="320" style="border:0;${style}" src="${src(id, listed)}"></iframe>`;
const bait = '<div style="position:absolute;inset:0;background:#fc0;pointer-events:none;font:2rem sans-serif">Gagne un iPhone : clique, clique !</div>';

// Each is the page of an attacker, given its frame.
const tricks = {
  'covered by a picture that lets clicks through': (id, listed) => `<div style="position:relative;width:340px;height:320px">${frame(id, listed)}${bait}</div>`,
  'all but transparent': (id, listed) => frame(id, listed, 'opacity:.01'),
  'made small': (id, listed) => frame(id, listed, 'transform:scale(.2);transform-origin:0 0'),
  'faded by a parent, over a bait': (id, listed) => `<div style="position:relative;width:340px;height:320px"><div style="opacity:0;position:relative;z-index:1">${frame(id, listed)}</div>${bait}</div>`,
  'filtered to white': (id, listed) => frame(id, listed, 'filter:opacity(2%)'),
};

// led clicks on Vote's place, then on Confirm's, again and again: longer than any
// delay that arms them. Answers the windows that opened.
async function led(page) {
  const windows = [];
  page.context().on('page', (window) => windows.push(window));
  const element = await page.waitForSelector('iframe', { state: 'attached' });
  const inside = await element.contentFrame();
  await inside.waitForSelector('[data-joute=vote],[data-joute=window]', { state: 'attached' });
  const around = await element.evaluate((e) => ({ ...e.getBoundingClientRect().toJSON(), scale: e.getBoundingClientRect().width / e.offsetWidth }));
  for (const until = Date.now() + 3000; Date.now() < until;) {
    for (const name of ['vote', 'confirm', 'window']) {
      const at = await inside.evaluate((name) => document.querySelector(`[data-joute=${name}]`)?.getBoundingClientRect().toJSON(), name);
      if (!at?.width) continue;
      await page.mouse.click(around.x + around.scale * (at.x + at.width / 2), around.y + around.scale * (at.y + at.height / 2));
    }
    await page.waitForTimeout(120);
  }
  return windows;
}

async function trapped(t, id, listed, html, prepare = () => {}) {
  await joute.apply(contest(id, listed ? { embed: { origins: [host.url] } } : {}));
  const page = await visit(t, browser);
  await prepare(page);
  await page.goto(host.page(`/${id}`, html));
  return led(page);
}

let n = 0;
for (const [name, trick] of Object.entries(tricks)) {
  test(`on a listed page, ${name}: no vote`, async (t) => {
    const id = `listed-${n++}`;
    const windows = await trapped(t, id, true, trick(id, true));
    assert.equal(await joute.counted(id), 0);
    assert.ok(windows.length > 0, 'a window of ours asks instead');
  });
}

test('on an unlisted page, covered: no vote without the window', async (t) => {
  const windows = await trapped(t, 'unlisted', false, tricks['covered by a picture that lets clicks through']('unlisted', false));
  assert.equal(await joute.counted('unlisted'), 0);
  assert.ok(windows.length > 0);
});

test('an unlisted page that says it is a listed one is not shown at all', async (t) => {
  await joute.apply(contest('liar', { embed: { origins: ['https://elsewhere.example'] } }));
  const page = await visit(t, browser);
  await page.goto(host.page('/liar', `<iframe src="${joute.url}/embed/liar/azur-1?origin=https%3A%2F%2Felsewhere.example"></iframe>`));
  await assert.rejects(page.frames()[1].waitForSelector('[data-joute]', { state: 'attached', timeout: 1000 }));
});

test('the window that confirms cannot be framed', async (t) => {
  await joute.apply(contest('window'));
  const page = await visit(t, browser);
  await page.goto(host.page('/window', `<iframe src="${joute.url}/c/window/e/azur-1/confirm"></iframe>`));
  await assert.rejects(page.frames()[1].waitForSelector('[data-joute]', { state: 'attached', timeout: 1000 }));
});

test('clicks that a script makes are no clicks', async (t) => {
  await joute.apply(contest('script', { embed: { origins: [host.url] } }));
  const page = await visit(t, browser);
  await page.goto(host.page('/script', frame('script', true)));
  const inside = page.frames()[1];
  await inside.waitForSelector('[data-joute=vote]');
  await inside.evaluate(() => document.querySelector('[data-joute=vote]').click());
  assert.equal(await inside.isVisible('[data-joute=confirm]'), false);
});

// The controls: the same clicks do vote where nothing hides the frame, and where
// the frame does not look. A guard that always said no would pass above.
test('control: shown plainly, the same clicks are a vote', async (t) => {
  await trapped(t, 'plain', true, frame('plain', true));
  assert.equal(await joute.counted('plain'), 1);
});

test('control: covered, in a browser that cannot tell, patient clicks are a vote', async (t) => {
  const blind = (page) => page.addInitScript(() => { delete IntersectionObserverEntry.prototype.isVisible; });
  await trapped(t, 'blind', true, tricks['covered by a picture that lets clicks through']('blind', true), blind);
  assert.equal(await joute.counted('blind'), 1);
});
