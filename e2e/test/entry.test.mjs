// The pages people share: of an entry, a school and a receipt. Votes without
// JavaScript and by keyboard, numbers that move, and a film whose site hears of
// nobody who has not pressed.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { contest, crowd } from '../harness/contests.mjs';
import { desktop, launch, strangers, tabTo, visit, watch } from '../harness/browser.mjs';
import { start } from '../harness/joute.mjs';

let joute, browser;
before(async () => { [joute, browser] = await Promise.all([start(), launch()]); });
after(async () => { await browser?.close(); joute?.stop(); });

async function open(t, path, options) {
  const page = await visit(t, browser, options);
  await page.goto(joute.url + path);
  return page;
}

for (const [name, path] of [['an entry', '/e/azur-1'], ['a school', '/s/azur']]) {
  test(`a vote on the page of ${name}, JavaScript off, comes back there`, async (t) => {
    const id = `off-${path[1]}`;
    await joute.apply(contest(id));
    const page = await open(t, `/c/${id}${path}`, { javaScriptEnabled: false });
    await page.locator('button.vote').first().click();
    await page.waitForURL(new RegExp(`/c/${id}${path}\\?.*receipt=`));
    assert.match(await page.locator('[role=status]').innerText(), /Votre vote est compté/);
    assert.equal(await joute.votes(id, 'azur-1'), 1);

    await page.getByRole('link', { name: 'Mon reçu' }).click();
    assert.match(await page.locator('main').innerText(), /Ce vote est compté/);
    assert.doesNotMatch(await page.content(), /azur|cafétéria/i);
  });
}

test('a vote on the page of an entry, by keyboard alone', async (t) => {
  await joute.apply(contest('keys-e'));
  const page = await open(t, '/c/keys-e/e/lumiere-1');
  await tabTo(page, '.hero .vote');
  await page.keyboard.press('Enter');
  await page.waitForSelector('.status.good');
  assert.equal(new URL(page.url()).pathname, '/c/keys-e/e/lumiere-1');
  assert.equal(await joute.votes('keys-e', 'lumiere-1'), 1);
});

test('rank and votes of an entry and of a school move while they are looked at', async (t) => {
  await joute.apply(contest('moves-e'));
  const seen = [await open(t, '/c/moves-e/e/azur-1'), await open(t, '/c/moves-e/s/azur')];
  for (const page of seen) {
    assert.equal(await page.locator('.hero [data-rank]').innerText(), '–');
    assert.ok(await page.locator('[data-none]').isVisible());
  }
  for (const entry of ['lumiere-1', 'lumiere-1', 'lumiere-1', 'azur-1']) await joute.cast('moves-e', entry);
  for (const page of seen) {
    await page.waitForFunction(() => document.querySelector('.hero [data-rank]').textContent === '2' && document.querySelector('.hero [data-votes]').textContent === '1');
    assert.ok(await page.locator('[data-none]').isHidden());
  }
});

test('while nobody has a vote, the feed makes nobody first', async (t) => {
  await joute.apply(contest('nobody'));
  const page = await open(t, '/c/nobody');
  // The page itself has no place; the script, once it has read the feed, an empty one.
  await page.waitForFunction(() => document.querySelector('[data-rows=schools] > li').dataset.place === '');
  assert.equal(await page.locator('[data-place="1"]').count(), 0);
});

const films = { 'lumiere-1': 'www.youtube-nocookie.com', 'lumiere-2': 'player.vimeo.com', 'vercors-1': 'geo.dailymotion.com' };
for (const [entry, host] of Object.entries(films)) {
  test(`${host} hears of nobody who has not pressed`, async (t) => {
    await joute.apply(contest(`film-${entry}`));
    const page = await visit(t, browser, { viewport: desktop });
    const seen = await watch(page);
    const asked = [];
    await page.route(/^https:/, (route) => { asked.push(route.request()); route.fulfill({ contentType: 'text/html', body: '<title>Lecteur</title><p>Film' }); });
    await page.goto(`${joute.url}/c/film-${entry}/e/${entry}`);
    await page.waitForTimeout(500); // long enough for what loads late
    assert.deepEqual(strangers(seen, joute.url), []);
    assert.deepEqual(seen.kept, []);
    assert.match(await page.locator('.film').innerText(), new RegExp(`\\(${host}\\) n'est contacté que si vous appuyez`));

    await page.locator('.film button').focus();
    await page.keyboard.press('Enter');
    await page.frameLocator('.film iframe').getByText('Film').waitFor();
    assert.deepEqual([...new Set(strangers(seen, joute.url).map((url) => new URL(url).host))], [host]);
    assert.equal(asked[0].headers().referer, `${joute.url}/`, 'the site learns which site plays it, and not which page');
    assert.deepEqual(seen.faults, []);

    // The policy of this page lets in that player and no other.
    await page.evaluate(() => { const other = document.createElement('iframe'); other.src = 'https://evil.example/'; document.body.append(other); });
    await page.waitForFunction(() => document.querySelector('body > iframe'));
    await page.waitForTimeout(300);
    assert.ok(seen.faults.some((fault) => fault.startsWith('refused: frame-src https://evil.example')), seen.faults.join('\n'));
  });
}

test('a film without JavaScript is a link to its site', async (t) => {
  await joute.apply(contest('film-off'));
  const page = await open(t, '/c/film-off/e/lumiere-1', { javaScriptEnabled: false });
  const link = page.locator('.film a');
  assert.equal(await link.getAttribute('href'), 'https://www.youtube.com/watch?v=AAAAAAAAAA1');
  assert.match(await link.innerText(), /Regarder sur YouTube \(nouvel onglet\)/);
});

// What somebody sees who has followed a link on a phone, before they scroll.
test('on the first screen of a phone: title, time left, the vote and the ranking', async (t) => {
  await joute.apply(contest('first'));
  await crowd(joute, 'first');
  const page = await open(t, '/c/first');
  for (const what of ['h1', '[data-until]', '.jump', '[data-rows=schools] > li:nth-child(2)']) {
    const box = await page.locator(what).boundingBox();
    assert.ok(box.y >= 0 && box.y + box.height <= 740, `${what} ends at ${Math.round(box.y + box.height)} px`);
  }
  assert.match(await page.locator('[data-until]').innerText(), /^2[34]\sheures$/);
  const entry = await open(t, '/c/first/e/lumiere-1');
  for (const what of ['h1', '[data-until]', '.hero .vote', '.film button']) {
    const box = await entry.locator(what).boundingBox();
    assert.ok(box.y >= 0 && box.y + box.height <= 740, `${what} of an entry ends at ${Math.round(box.y + box.height)} px`);
  }
});

test('the time that is left goes down while the page is open', async (t) => {
  await joute.apply(contest('clock'));
  const page = await visit(t, browser);
  await page.clock.install();
  await page.goto(`${joute.url}/c/clock`);
  await page.clock.fastForward(23 * 3600_000 + 30_000);
  await page.waitForFunction(() => /^(59|60)\sminutes$/.test(document.querySelector('[data-until]').textContent));
});

test('after the end there is a result, its arithmetic unfolds, and nothing to press for a vote', async (t) => {
  await joute.apply(contest('ended'));
  await crowd(joute, 'ended');
  await joute.close('ended');
  const page = await visit(t, browser);
  for (const until = Date.now() + 5000; ;) {
    await page.goto(`${joute.url}/c/ended`);
    if (await page.locator('.result').count() || Date.now() > until) break;
  }
  assert.match(await page.locator('.crown').innerText(), /École Lumière/);
  await page.locator('summary').click();
  assert.match(await page.locator('.result').innerText(), /5 \+ 1 = 6\s; 6 ÷ \(9\s000 ÷ 1\s000\) = 2\/3 ≈ 0,67/);
  assert.equal(await page.locator('form, .vote').count(), 0);
});
