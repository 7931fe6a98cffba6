// The vote widget on a page of another site, cookies of other sites blocked.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { contest, frozen, hidden } from '../harness/contests.mjs';
import { embed, launch, visit } from '../harness/browser.mjs';
import { boardTag, host as serveHost, voteTag } from '../harness/host.mjs';
import { start } from '../harness/joute.mjs';

let joute, host, browser;
before(async () => { [joute, host, browser] = await Promise.all([start(), serveHost(), launch()]); });
after(async () => { await browser?.close(); host?.stop(); joute?.stop(); });

// blog is a visitor on a page that shows the widget; listed: the contest knows
// the page.
async function blog(t, id, { listed = true, ...options } = {}) {
  await joute.apply(contest(id, listed ? { embed: { origins: [host.url] } } : {}));
  const page = await visit(t, browser, options);
  await page.goto(host.page(`/${id}`, `<h1>Mon blog</h1>${await voteTag(joute, id, 'azur-1')}<p>Suite</p>`));
  return { context: page.context(), page, frame: await embed(page) };
}

const confirm = '[data-joute=confirm]', vote = '[data-joute=vote]', status = '[data-joute=status]';

// voteIn presses Vote, then Confirm once it can be.
async function voteIn(frame) {
  await frame.click(vote);
  await frame.waitForSelector(`${confirm}.armed`);
  await frame.click(confirm);
}

test('control: a frame of another site has no cookie to read here', async (t) => {
  const page = await visit(t, browser);
  host.page('/jar', '<script>document.cookie = "a=b; Secure; SameSite=None"; document.title = document.cookie || "empty"</script>');
  await page.goto(host.page('/jars', `<iframe src="${host.other}/jar"></iframe><iframe src="${host.url}/jar"></iframe>`));
  const titles = await Promise.all(page.frames().slice(1).map((frame) => frame.title()));
  assert.deepEqual(titles, ['empty', 'a=b'], 'blocked from the other site, kept for the same one');
});

test('a vote in the frame of a listed page; another screen moves', async (t) => {
  const { page, frame } = await blog(t, 'listed');
  const screen = await visit(t, browser);
  await screen.goto(`${joute.url}/c/listed`);
  assert.equal((await page.context().cookies()).length, 0, 'no cookie before the vote');

  await voteIn(frame);
  await frame.waitForSelector(`${status}.good`);
  assert.match(await frame.innerText(status), /Motivé par la cafétéria/);
  assert.equal(await joute.votes('listed', 'azur-1'), 1);
  await screen.waitForFunction(() => document.querySelector('[data-total]').textContent === '1', null, { timeout: 5000 });
});

test('double tap: nothing by the first two, one by the confirmed, and only one', async (t) => {
  const { page, frame } = await blog(t, 'taps', { hasTouch: true, isMobile: true });
  const box = await (await frame.$(vote)).boundingBox();
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  await frame.evaluate(() => { window.touches = 0; addEventListener('touchend', () => { window.touches++; }); });
  await page.touchscreen.tap(x, y);
  await page.touchscreen.tap(x, y);
  await frame.waitForFunction(() => window.touches === 2);
  await page.waitForTimeout(350); // a click, if the browser makes one of the second touch, has come by then
  assert.equal(await joute.counted('taps'), 0);
  // A slow second tap was a Cancel.
  if (await frame.isHidden(confirm)) await frame.tap(vote);
  await frame.waitForSelector(`${confirm}.armed`);
  const second = await (await frame.$(confirm)).boundingBox();
  const at = [second.x + second.width / 2, second.y + second.height / 2];
  await page.touchscreen.tap(...at);
  await page.touchscreen.tap(...at);
  await frame.waitForSelector(`${status}.good`);
  assert.equal(await joute.counted('taps'), 1);
});

test('back, refresh and a second try: still one', async (t) => {
  const { page, frame } = await blog(t, 'again');
  await voteIn(frame);
  await frame.waitForSelector(`${status}.good`);
  await page.reload();
  const reloaded = await embed(page);
  await voteIn(reloaded);
  await reloaded.waitForSelector(`${status}.wait strong`);
  assert.match(await reloaded.innerText(status), /déjà voté/i);
  await page.goto(host.page('/elsewhere', 'ailleurs'));
  await page.goBack();
  const back = await embed(page);
  await back.waitForSelector(vote);
  await voteIn(back);
  await back.waitForFunction((status) => document.querySelector(status).className === 'wait' && document.querySelector(status).querySelector('strong'), status);
  assert.equal(await joute.counted('again'), 1);
});

test('the answer is lost, then the network: pressed again, one vote', async (t) => {
  const { context, frame } = await blog(t, 'lost');
  // The ballot reaches the server, its answer does not reach the visitor.
  const network = await context.newCDPSession(frame);
  await network.send('Fetch.enable', { patterns: [{ urlPattern: '*/embed/lost/*', requestStage: 'Response' }] });
  network.on('Fetch.requestPaused', ({ requestId }) => network.send('Fetch.failRequest', { requestId, errorReason: 'ConnectionReset' }));
  await voteIn(frame);
  await frame.waitForSelector(`${status}.bad`);
  assert.equal(await joute.counted('lost'), 1, 'counted, and not known to be');
  await network.send('Fetch.disable');
  await context.setOffline(true);
  await frame.click('[data-joute=retry]');
  await frame.waitForSelector(`${status}.bad`);
  await context.setOffline(false);
  await frame.waitForSelector('[data-joute=retry]:not([hidden])');
  await frame.click('[data-joute=retry]');
  await frame.waitForSelector(`${status}.good`);
  assert.equal(await joute.counted('lost'), 1);
});

test('a network that swallows the answer: the frame says so, and pressed again it is one vote', async (t) => {
  const { context, frame } = await blog(t, 'swallowed');
  const network = await context.newCDPSession(frame);
  await network.send('Fetch.enable', { patterns: [{ urlPattern: '*/embed/swallowed/*', requestStage: 'Response' }] }); // and nothing lets it go on
  await voteIn(frame);
  await frame.waitForSelector(`${status}.bad`);
  await network.send('Fetch.disable');
  await frame.click('[data-joute=retry]');
  await frame.waitForSelector(`${status}.good`);
  assert.equal(await joute.counted('swallowed'), 1);
});

test('on an unlisted page a window of ours confirms', async (t) => {
  const { context, page, frame } = await blog(t, 'unlisted', { listed: false });
  assert.equal(await frame.locator(vote).count(), 0);
  const [window] = await Promise.all([context.waitForEvent('page'), frame.click('[data-joute=window]')]);
  await window.waitForLoadState();
  assert.equal(new URL(window.url()).origin, joute.url);
  assert.equal(await joute.counted('unlisted'), 0, 'the window asks, and opening it votes for nothing');
  await window.dblclick(confirm);
  await window.waitForSelector('.status.good');
  await window.goBack();
  await window.reload();
  if (await window.locator(confirm).count()) await window.click(confirm);
  await window.waitForSelector('.status');
  assert.equal(await joute.votes('unlisted', 'azur-1'), 1);
  await page.bringToFront();
});

test('a vote in the frame by keyboard alone', async (t) => {
  const { page, frame } = await blog(t, 'keys');
  const focus = (name) => frame.evaluate((name) => document.activeElement.dataset.joute === name, name);
  for (let presses = 0; !(await focus('vote')); presses++) {
    assert.ok(presses < 20, 'Vote is reached by Tab');
    await page.keyboard.press('Tab');
  }
  await page.keyboard.press('Enter');
  assert.ok(await focus('confirm'), 'the focus goes on to Confirm');
  await page.keyboard.press('Enter'); // at once: too soon
  assert.equal(await joute.counted('keys'), 0);
  await frame.waitForSelector(`${confirm}.armed`);
  await page.keyboard.press('Enter');
  await frame.waitForSelector(`${status}.good`);
  assert.equal(await joute.counted('keys'), 1);
});

test('the status region is there from the start and speaks once for one vote', async (t) => {
  const { frame } = await blog(t, 'speaks');
  assert.equal(await frame.locator('[role=status]').count(), 1);
  await frame.evaluate(() => {
    window.told = [];
    const region = document.querySelector('[role=status]');
    new MutationObserver(() => {
      if (window.told.at(-1) !== region.textContent) window.told.push(region.textContent);
    }).observe(region, { subtree: true, childList: true, characterData: true });
  });
  await voteIn(frame);
  await frame.waitForSelector(`${status}.good`);
  const results = (await frame.evaluate(() => window.told)).filter((text) => /Motivé/.test(text));
  assert.equal(results.length, 1, `said: ${results.join(' | ')}`);
});

test('a sandboxed frame shows who leads and the way to our page, and takes no vote', async (t) => {
  await joute.apply(contest('sandbox', { embed: { origins: [host.url] } }));
  await joute.cast('sandbox', 'vercors-1');
  const page = await visit(t, browser);
  await page.goto(host.page('/sandbox', `<iframe sandbox="allow-scripts allow-popups" width="340" height="300" src="${joute.url}/embed/sandbox/azur-1?origin=${encodeURIComponent(host.url)}"></iframe>`));
  const frame = await embed(page);
  assert.ok(await frame.isVisible('[data-joute=window]'));
  assert.equal(await frame.isVisible(vote), false);
  assert.match(await frame.locator('.leading li').first().innerText(), /1\s+Vercors Business School/);
  assert.equal(await frame.locator('.act [data-sandbox]').innerText(), `${new URL(joute.url).host}/c/sandbox`);
  // Where the frame is not sandboxed it votes, and shows neither.
  await page.goto(host.page('/free', `<iframe width="340" height="300" src="${joute.url}/embed/sandbox/azur-1?origin=${encodeURIComponent(host.url)}"></iframe>`));
  const free = await embed(page);
  assert.ok(await free.isVisible(vote));
  assert.equal(await free.isVisible('[data-sandbox]'), false);
});

test('a page that may not frame us gets a link, not a blank box', async (t) => {
  await joute.apply(contest('only', { embed: { origins: ['https://elsewhere.example'], only: true } }));
  const page = await visit(t, browser);
  await page.clock.install();
  await page.goto(host.page('/refused', await voteTag(joute, 'only', 'azur-1')));
  await page.waitForSelector('joute-vote iframe', { state: 'attached' });
  await page.clock.fastForward(6000); // past the time the loader gives the frame
  assert.ok(await page.locator('joute-vote > table a').isVisible());
  assert.equal(await page.locator('joute-vote iframe').isVisible(), false);
});

test('a board whose numbers are unseen says why in the lines that it has, on a phone', async (t) => {
  const unseen = { hidden, frozen, voters: (id) => contest(id, { results: { visibility: 'after_ballot' } }) };
  const page = await visit(t, browser);
  for (const [id, make] of Object.entries(unseen)) {
    await joute.apply(make(id));
    for (const lang of ['fr', 'en']) {
      await page.goto(host.page(`/${id}-${lang}`, await boardTag(joute, id, { lang })));
      const frame = await embed(page);
      const cut = await frame.locator('.few').evaluateAll((lines) => lines.filter((line) => line.scrollHeight > line.clientHeight + 1).map((line) => line.innerText));
      assert.deepEqual(cut, [], `${id}, ${lang}`);
    }
  }
});
