// The wall in the hall: read from the last row, moved by votes, and never in
// need of a hand, whatever happens to the network, the server or the contest.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { sticksOut } from '../harness/audit.mjs';
import { contest, crowd, frozen, hidden, upcoming } from '../harness/contests.mjs';
import { launch, phone, strangers, visit, watch } from '../harness/browser.mjs';
import { start } from '../harness/joute.mjs';

const jsQR = readFileSync(createRequire(import.meta.url).resolve('jsqr'), 'utf8');
const hall = { width: 1920, height: 1080 };

let joute, browser;
before(async () => { [joute, browser] = await Promise.all([start(), launch()]); });
after(async () => { await browser?.close(); joute?.stop(); });

async function wall(t, id, { query = '', clock = false, path = `/tv/${id}?`, ...options } = {}) {
  const page = await visit(t, browser, { viewport: hall, ...options });
  if (clock) await page.clock.install();
  await page.goto(`${joute.url}${path}&${query}`);
  if (options.javaScriptEnabled !== false) await page.waitForFunction(() => document.documentElement.dataset.connection);
  return page;
}

// many is a contest with more schools than a screen has rows.
function many(id, more = {}) {
  const schools = Array.from({ length: 24 }, (_, i) => ({ id: `s${i}`, name: `École numéro ${i}`, city: 'Lyon', students: 1000 }));
  return contest(id, { schools, entries: schools.map(({ id }) => ({ id: `${id}-1`, school: id, title: `Le CV de ${id}` })), ...more });
}

const shown = (page) => page.locator('[data-rows] > li').evaluateAll((rows) => rows.filter((row) => !row.hidden).map((row) => row.dataset.id));
const first = (page) => page.locator('[data-rows] > li').first().getAttribute('data-id');
const connection = (page) => page.evaluate(() => document.documentElement.dataset.connection);

// mark is gone once the page has been left.
const mark = (page) => page.evaluate(() => { window.same = true; });
const same = (page) => page.evaluate(() => window.same === true);

// later lets a page's clock run until it is so. What comes over the network takes no less
// for it, and longer where others have the machine.
async function later(page, what, is) {
  for (const until = Date.now() + 60_000; Date.now() < until;) {
    if (await is()) return;
    await page.clock.runFor(1000).catch(() => { /* the page is just being left */ });
    await setTimeout(10);
  }
  assert.fail(`never ${what}`);
}

test('every state fills the screen, and no more than the screen; nothing takes the focus', async (t) => {
  const made = [many('wall-open'), upcoming('wall-coming'), many('wall-coming-many', { phases: upcoming('x').phases }), hidden('wall-hidden'), frozen('wall-frozen'), contest('wall-over')];
  for (const document of made) await joute.apply(document);
  await crowd(joute, 'wall-over');
  await joute.close('wall-over');
  made.push(contest('wall-best', { title: 'Le pire CV vidéo de toute la saison, et un titre de deux lignes' }));
  await joute.apply(made.at(-1));
  await crowd(joute, 'wall-best');
  const walls = made.map(({ id }) => [id, `/tv/${id}`]);
  for (const id of ['wall-open', 'wall-hidden', 'wall-frozen', 'wall-best']) walls.push([`${id} in the hall`, await joute.hall(id)]);
  for (const viewport of [hall, { width: 1280, height: 720 }, { width: 3840, height: 2160 }, { width: 1280, height: 800 }]) {
    const page = await visit(t, browser, { viewport });
    const seen = await watch(page);
    for (const [id, path] of walls) {
      const name = `${id} at ${viewport.width}x${viewport.height}`;
      await page.goto(joute.url + path);
      await page.waitForFunction(() => document.documentElement.dataset.connection);
      const over = await page.evaluate(() => {
        const root = document.documentElement, out = [];
        for (const one of document.querySelectorAll('header, main, main > *, aside, aside > *, footer, [data-rows]')) {
          const box = one.getBoundingClientRect();
          if (box.width && (box.right > innerWidth + 1 || box.bottom > innerHeight + 1 || box.top < -1)) out.push(one.tagName + one.className);
        }
        for (const one of document.querySelectorAll('aside > *, .clock, .name')) if (one.scrollHeight > one.clientHeight + 1) out.push(`cut: ${one.className}`);
        return [...out, root.scrollWidth - root.clientWidth, root.scrollHeight - root.clientHeight, innerWidth - root.clientWidth].filter(Boolean);
      });
      assert.deepEqual(over, [], name);
      if (!id.includes('coming')) {
        const rows = (await page.locator('[data-rows] > li').evaluateAll((rows) => rows.filter((row) => !row.hidden).map((row) => ({ height: row.getBoundingClientRect().height, name: parseFloat(getComputedStyle(row.querySelector('.who')).fontSize) }))));
        assert.ok(rows.length >= 8 && rows.length <= 10, `${name}: ${rows.length} rows`);
        for (const row of rows) assert.ok(row.height >= 48 * viewport.width / hall.width && row.name >= viewport.width / 50, `${name}: ${JSON.stringify(row)}`);
      }
      await page.keyboard.press('Tab');
      assert.equal(await page.evaluate(() => document.activeElement.tagName), 'BODY', name);
    }
    assert.deepEqual(seen.faults, []);
    assert.deepEqual(seen.kept, []);
    assert.deepEqual(strangers(seen, joute.url), []);
  }
});

// scanner reads a QR code from a picture, as a phone does.
async function scanner(t) {
  const reader = await visit(t, browser);
  await reader.addScriptTag({ content: jsQR });
  return (picture) => reader.evaluate(async (picture) => {
    const image = new Image();
    image.src = `data:image/png;base64,${picture}`;
    await image.decode();
    const canvas = Object.assign(document.createElement('canvas'), { width: image.width, height: image.height }), on = canvas.getContext('2d');
    on.drawImage(image, 0, 0);
    return window.jsQR(on.getImageData(0, 0, image.width, image.height).data, image.width, image.height)?.data ?? null;
  }, picture.toString('base64'));
}

// presence is the address that the wall's presence code carries, as its label says.
const presence = (page) => page.locator('[data-code] .qr').getAttribute('aria-label').then((label) => /http:\S+\/p\/\w+/.exec(label)[0]);

test('the QR code is read from a picture of the wall, dark, light and transparent', async (t) => {
  await joute.apply(contest('pire-cv-video-2026'));
  const read = await scanner(t);
  for (const query of ['', 'theme=light', 'bg=transparent']) {
    for (const viewport of [hall, { width: 1280, height: 720 }]) {
      const page = await wall(t, 'pire-cv-video-2026', { query, viewport });
      assert.equal(await read(await page.screenshot()), `${joute.url}/c/pire-cv-video-2026`, `${query} ${viewport.width}`);
      assert.equal(await page.locator('p.link').innerText(), `${new URL(joute.url).host}/c/pire-cv-video-2026`);
      await page.locator('.qr').evaluate((code) => { code.style.visibility = 'hidden'; });
      assert.equal(await read(await page.screenshot()), null, 'control: no code, nothing to read');
    }
  }
});

test('in the hall, both codes are read from a picture of the wall: to vote, and to be present', async (t) => {
  await joute.apply(contest('pire-cv-video-hall'));
  const read = await scanner(t), path = await joute.hall('pire-cv-video-hall');
  for (const query of ['', 'theme=light', 'bg=transparent']) {
    for (const viewport of [hall, { width: 1280, height: 720 }, phone]) {
      const page = await wall(t, 'pire-cv-video-hall', { path, query, viewport });
      const show = (n) => page.locator('.qr').evaluateAll((codes, n) => codes.forEach((code, i) => { code.style.visibility = i === n ? 'visible' : 'hidden'; }), n);
      await show(0);
      assert.equal(await read(await page.screenshot({ fullPage: true })), `${joute.url}/c/pire-cv-video-hall`, `${query} ${viewport.width}`);
      await show(1);
      const picture = await page.screenshot({ fullPage: true });
      assert.equal(await read(picture), await presence(page), `${query} ${viewport.width}`);
      assert.equal(await sticksOut(page), 0);
    }
  }
});

test('a scan in the hall marks the phone without scripts, and its vote is at home on the wall', async (t) => {
  await joute.apply(contest('wall-home'));
  await joute.cast('wall-home', 'azur-1');
  const page = await wall(t, 'wall-home', { path: await joute.hall('wall-home') });
  await mark(page);
  assert.equal(await page.locator('[data-home]:visible, [data-legend]:visible').count(), 0, 'nobody is at home yet');
  for (const lang of ['fr', 'en']) {
    const phoneOf = await visit(t, browser, { viewport: phone, javaScriptEnabled: false });
    const seen = await watch(phoneOf);
    await phoneOf.goto(`${await presence(page)}?lang=${lang}`);
    assert.deepEqual(await phoneOf.context().cookies(), [], 'nothing is kept before the button');
    await phoneOf.keyboard.press('Tab');
    await phoneOf.locator('button.vote').press('Enter');
    assert.equal(await phoneOf.locator('.status strong').innerText(), lang === 'fr' ? 'Votre présence est notée.' : 'You are marked as present.');
    await phoneOf.locator('form:has([value=azur-1]) button').first().click();
    await phoneOf.waitForSelector('.status.good a');
    assert.deepEqual(strangers(seen, joute.url), []);
  }
  await page.waitForFunction(() => document.querySelector('[data-id=azur] [data-home]').textContent === '⌂ 2 · 1', null, { timeout: 6000 });
  assert.equal(await page.locator('[data-id=lumiere] [data-home]').innerText(), '⌂ 0 · 0');
  assert.equal(await page.locator('[data-legend]').innerText(), '⌂ dans la salle · ailleurs');
  assert.ok(await same(page));
  const board = await joute.board('wall-home');
  assert.deepEqual(board.schools.filter((row) => row.home).map((row) => [row.id, row.home]), [['azur', 2]]);
});

test('the presence code changes in place when its 30 seconds are over, and is never shown dead', async (t) => {
  await joute.apply(contest('wall-code-changes'));
  const page = await wall(t, 'wall-code-changes', { path: await joute.hall('wall-code-changes') });
  await mark(page);
  const was = await presence(page), ends = +await page.locator('[data-code]').getAttribute('data-ends');
  await page.waitForFunction((was) => !document.querySelector('[data-code] .qr').getAttribute('aria-label').includes(was), was, { timeout: 40000 });
  t.diagnostic(`the next code came ${Date.now() - ends} ms after the end of the last one`);
  assert.ok(Date.now() - ends < 5000);
  assert.ok(await same(page), 'without leaving the page');
  assert.notEqual(await presence(page), was);
});

test('a wall that is alone hides the presence code, and has another once the server is back', async (t) => {
  await joute.apply(contest('wall-code-alone'));
  const page = await wall(t, 'wall-code-alone', { path: await joute.hall('wall-code-alone'), clock: true });
  const visible = () => page.locator('[data-code]').isVisible();
  assert.ok(await visible());
  await page.context().setOffline(true);
  await later(page, 'hidden', async () => !await visible());
  assert.ok(await page.locator('[data-codes] .qr').first().isVisible(), 'the code of the vote stays');
  await page.context().setOffline(false);
  await later(page, 'shown', visible);
});

for (const reducedMotion of ['no-preference', 'reduce']) {
  test(`a vote moves the wall, and a new leader is named${reducedMotion === 'reduce' ? '; nothing slides for who asked for less motion' : ''}`, async (t) => {
    const id = `wall-moves-${reducedMotion}`;
    await joute.apply(contest(id));
    await joute.cast(id, 'lumiere-1');
    const page = await wall(t, id, { reducedMotion });
    await page.evaluate(() => {
      window.slid = 0;
      const animate = Element.prototype.animate;
      Element.prototype.animate = function (...how) { window.slid++; return animate.apply(this, how); };
    });
    assert.equal(await first(page), 'lumiere');
    await Promise.all([1, 2, 3].map(() => joute.cast(id, 'azur-1')));
    await page.waitForFunction(() => document.querySelector('[data-rows] > li').dataset.id === 'azur', null, { timeout: 6000 });
    await page.waitForFunction(() => document.querySelector('b[data-total]').textContent === '4', null, { timeout: 6000 });
    assert.equal(await page.locator('[data-cheer]').innerText(), 'Azur School of Management prend la tête\u00a0!');
    assert.equal(await page.locator('[data-id=azur] [data-score]').innerText(), '0,30');
    assert.equal(await page.locator('[data-id=lumiere] [data-rank]').innerText(), '2');
    assert.equal(await page.evaluate(() => window.slid) > 0, reducedMotion !== 'reduce');
    await page.waitForFunction(() => document.querySelector('[data-cheer]').textContent === '', null, { timeout: 9000 });
  });
}

test('all schools get their turn, and the first three stay', async (t) => {
  await joute.apply(many('wall-turns'));
  await crowd(joute, 'wall-turns', { 's7-1': 3, 's8-1': 2, 's9-1': 1 });
  const page = await wall(t, 'wall-turns', { clock: true });
  const seen = new Set();
  await later(page, 'all schools shown', async () => {
    const rows = await shown(page);
    assert.deepEqual(rows.slice(0, 3), ['s7', 's8', 's9']);
    assert.equal(rows.length, 8);
    rows.forEach((id) => seen.add(id));
    return seen.size === 24;
  });
});

test('offline is said with the last time, the picture stays, and the wall recovers alone', async (t) => {
  await joute.apply(contest('wall-offline'));
  await joute.cast('wall-offline', 'azur-1');
  const page = await wall(t, 'wall-offline', { clock: true });
  await mark(page);
  await page.context().setOffline(true);
  await later(page, 'stale', async () => await connection(page) === 'stale');
  assert.match(await page.locator('[data-link]').innerText(), /^Hors ligne depuis \d\d:\d\d:\d\d\u00a0: derniers chiffres reçus$/);
  assert.equal(await first(page), 'azur');
  await joute.cast('wall-offline', 'lumiere-1');
  await joute.cast('wall-offline', 'lumiere-1');
  await page.context().setOffline(false);
  await later(page, 'live', async () => await connection(page) === 'live');
  assert.equal(await page.locator('[data-link]').innerText(), 'En direct');
  await later(page, 'moved', async () => await first(page) === 'lumiere');
  assert.ok(await same(page), 'without leaving the page');
});

test('two hundred lost connections leave no node, listener or timer behind', async (t) => {
  await joute.apply(contest('wall-days'));
  await joute.cast('wall-days', 'azur-1');
  const page = await visit(t, browser, { viewport: hall });
  let down = false, asked = 0;
  await page.clock.install();
  await page.route('**/feed', (route) => route.fulfill({ status: 503 }));
  await page.route('**/leaderboard*', (route) => { asked++; return down ? route.abort() : route.continue(); });
  await page.goto(`${joute.url}/tv/wall-days`);
  const cdp = await page.context().newCDPSession(page);
  const count = async () => {
    await cdp.send('HeapProfiler.collectGarbage');
    const { documents, nodes, jsEventListeners } = await cdp.send('Memory.getDOMCounters');
    return { documents, nodes, jsEventListeners };
  };
  const pace = async () => {
    const from = asked;
    for (let i = 0; i < 60; i++) { await page.clock.runFor(1000); await connection(page); }
    return asked - from;
  };
  const lose = async (times) => {
    for (let i = 0; i < times; i++) {
      down = true;
      await later(page, 'lost', async () => await connection(page) !== 'live');
      down = false;
      await later(page, 'back', async () => await connection(page) === 'live');
    }
  };
  await lose(10);
  const was = await count(), speed = await pace();
  await lose(190);
  const is = await count(), now = await pace();
  t.diagnostic(`${JSON.stringify(was)} -> ${JSON.stringify(is)}, ${speed} -> ${now} requests a minute`);
  assert.ok(speed > 5, 'control: it does ask');
  assert.ok(now <= speed * 1.5, 'no second timer');
  assert.ok(is.nodes <= was.nodes + 60 && is.jsEventListeners <= was.jsEventListeners + 2 && is.documents <= was.documents + 1, 'no growth');
  await page.evaluate(() => { window.kept = Array.from({ length: 200 }, () => document.createElement('p')); });
  assert.ok((await count()).nodes >= is.nodes + 150, 'control: growth is seen');
});

test('the close is announced in place: the winner, then the ranking; a new title comes too', async (t) => {
  const document = contest('wall-ends');
  await joute.apply(document);
  await crowd(joute, 'wall-ends');
  const page = await wall(t, 'wall-ends');
  await mark(page);
  await joute.apply({ ...document, title: 'Le grand soir' });
  await page.waitForFunction(() => document.querySelector('h1').textContent === 'Le grand soir', null, { timeout: 15000 });
  await joute.close('wall-ends');
  await page.waitForSelector('.winner .won', { timeout: 15000 });
  assert.equal(await page.locator('.won').innerText(), 'École Lumière');
  assert.equal(await page.locator('main .board').evaluate((board) => getComputedStyle(board).visibility), 'hidden');
  assert.ok(await same(page), 'without leaving the page');
  await page.evaluate(() => document.getAnimations().forEach((one) => { if (one.effect.getTiming().duration === 60000) one.currentTime = one.currentTime + 21000; }));
  assert.deepEqual(await page.evaluate(() => ['.winner', '.board'].map((one) => getComputedStyle(document.querySelector(one)).visibility)), ['hidden', 'visible']);
});

test('another version of the code reloads the wall, but never into an error', async (t) => {
  await joute.apply(contest('wall-code'));
  const page = await wall(t, 'wall-code', { clock: true });
  await mark(page);
  await page.clock.runFor(61_000);
  let answer = { status: 502, body: '<h1>Bad gateway</h1>' }, asked = 0;
  await page.route('**/tv/wall-code*', async (route) => {
    asked++;
    if (answer.status) return route.fulfill({ contentType: 'text/html', ...answer });
    const real = await route.fetch();
    return route.fulfill({ response: real, body: (await real.text()).replace(/data-build="[^"]*"/, 'data-build="other"') });
  });
  for (answer of [answer, { status: 404, body: '' }, { status: 200, body: '<h1>Wartung</h1>' }]) {
    const from = asked;
    await later(page, 'asked', () => asked >= from + 2);
    assert.ok(await same(page), `left for ${JSON.stringify(answer)}`);
    assert.equal(await page.locator('h1').innerText(), 'Le pire CV vidéo');
  }
  answer = {};
  await later(page, 'reloaded', async () => !await same(page).catch(() => true));
  assert.equal(await page.locator('h1').innerText(), 'Le pire CV vidéo');
});

test('a wall reloads itself within six hours, once the server has answered', async (t) => {
  await joute.apply(contest('wall-old'));
  const page = await wall(t, 'wall-old', { clock: true });
  await mark(page);
  await page.clock.fastForward('04:30:00');
  await page.clock.runFor(30_000);
  assert.ok(await same(page), 'not before');
  await page.context().setOffline(true);
  await page.clock.fastForward('02:00:00');
  await page.clock.runFor(30_000);
  assert.ok(await same(page), 'not while the server is away');
  await page.context().setOffline(false);
  await later(page, 'reloaded', async () => !await same(page).catch(() => true));
});

test('hidden and frozen walls show and ask for no number that moves', async (t) => {
  for (const make of [hidden, frozen]) {
    const id = `wall-quiet-${make.name}`;
    await joute.apply(make(id));
    await crowd(joute, id);
    const page = await wall(t, id, { clock: true });
    const said = await page.locator('body').evaluate((body) => body.querySelector('main').innerText);
    await joute.cast(id, 'azur-1');
    for (let i = 0; i < 15; i++) { await page.clock.runFor(1000); await connection(page); }
    assert.equal(await page.locator('main').innerText(), said);
    if (make === hidden) {
      assert.equal(await page.locator('[data-score], [data-rank], [data-total], [data-best]').count(), 0);
      assert.doesNotMatch(said, /\d/);
    } else assert.match(said, /Chiffres figés depuis/);
  }
});

test('the last ten seconds are counted by the whole hall; then it is over', async (t) => {
  await joute.apply(contest('wall-last', { phases: { voting: { opens: new Date(Date.now() - 60_000).toISOString(), closes: new Date(Date.now() + 12_000).toISOString() } } }));
  await joute.cast('wall-last', 'azur-1');
  const page = await wall(t, 'wall-last');
  await page.waitForFunction(() => /^[5-9]$/.test(document.querySelector('[data-last]')?.innerText ?? ''), null, { timeout: 15000 });
  await page.waitForFunction(() => document.querySelector('[data-last]')?.innerText === 'Terminé\u00a0!' || document.querySelector('.won'), null, { timeout: 15000, polling: 50 });
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
  await page.waitForSelector('.winner .won', { timeout: 20000 });
  assert.equal(await page.locator('[data-last]').count(), 0);
});

test('nothing of its own behind the rows for OBS, and no cursor that nobody moves', async (t) => {
  await joute.apply(contest('wall-obs'));
  for (const [query, alpha] of [['bg=transparent', 0], ['', 255]]) {
    const page = await wall(t, 'wall-obs', { query });
    const picture = (await page.screenshot({ omitBackground: true, clip: { x: 2, y: 2, width: 4, height: 4 } })).toString('base64');
    const reader = await visit(t, browser);
    assert.equal(await reader.evaluate(async (picture) => {
      const image = new Image();
      image.src = `data:image/png;base64,${picture}`;
      await image.decode();
      const on = document.createElement('canvas').getContext('2d');
      on.drawImage(image, 0, 0);
      return on.getImageData(1, 1, 1, 1).data[3];
    }, picture), alpha);
    await page.waitForFunction(() => getComputedStyle(document.body).cursor === 'none', null, { timeout: 6000 });
    await page.mouse.move(100, 100);
    await page.mouse.move(120, 120);
    assert.equal(await page.evaluate(() => getComputedStyle(document.body).cursor), 'auto');
  }
});

test('texts of strangers are text, and stay in their place', async (t) => {
  const texts = ['"><img src=x onerror="window.ran=1">', '\u200f\u061cمسابقة\u200e abc \u200fעברית', '👩‍👩‍👧‍👦'.repeat(17), 'W'.repeat(120), `Z${'\u0301'.repeat(119)}`, '{{.Title}} <b>&amp;'];
  for (const [i, text] of texts.entries()) {
    const id = `wall-hostile-${i}`, schools = [{ id: 'a', name: text, city: Array.from(text).slice(0, 80).join(''), students: 100 }, { id: 'b', name: 'École', students: 100 }];
    await joute.apply(contest(id, { title: text, brand: text, schools, entries: [{ id: 'a-1', school: 'a', title: text }, { id: 'b-1', school: 'b', title: 'Calme' }] }));
    await joute.cast(id, 'a-1');
    for (const viewport of [hall, phone]) {
      const page = await wall(t, id, { viewport });
      assert.equal(await page.locator('h1').textContent(), text);
      assert.equal(await page.locator('[data-id=a] .who bdi').textContent(), text);
      assert.equal(await page.evaluate(() => window.ran), undefined);
      assert.equal(await sticksOut(page), 0, `${text} at ${viewport.width}`);
      if (viewport === hall) assert.ok(await page.evaluate(() => document.documentElement.scrollHeight <= innerHeight && document.querySelector('footer').getBoundingClientRect().bottom <= innerHeight + 1), text);
    }
  }
});

test('without JavaScript the wall is complete and loads itself again', async (t) => {
  await joute.apply(many('wall-plain'));
  await joute.cast('wall-plain', 's5-1');
  const page = await wall(t, 'wall-plain', { javaScriptEnabled: false });
  assert.equal(await page.locator('[data-rows] > li:visible').count(), 10);
  assert.equal(await page.locator('noscript meta[http-equiv=refresh]').count(), 1);
});
