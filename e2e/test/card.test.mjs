// What a link shows in a chat, and the badge in somebody else's page: read
// without scripts, decoded by a browser.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { contest, crowd, hidden, upcoming } from '../harness/contests.mjs';
import { launch, strangers, visit, watch } from '../harness/browser.mjs';
import { host as serveHost } from '../harness/host.mjs';
import { start } from '../harness/joute.mjs';

let joute, host, browser;
before(async () => {
  [joute, host, browser] = await Promise.all([start(), serveHost(), launch()]);
  await joute.apply(contest('cards'));
  await crowd(joute, 'cards');
  await joute.apply(hidden('cards-hidden'));
  await crowd(joute, 'cards-hidden');
  await joute.apply(upcoming('cards-upcoming'));
  await joute.counted('cards');
});
after(async () => { await browser?.close(); host?.stop(); joute?.stop(); });

// size is what a browser makes of a picture in a page of another site.
const size = (page, url) => page.evaluate(async (url) => {
  const image = new Image();
  image.src = url;
  await image.decode();
  return [image.naturalWidth, image.naturalHeight];
}, url);

for (const [id, says] of [['cards', /1\. .*2\. .*3\. /], ['cards-hidden', /Classement secret/], ['cards-upcoming', /Le vote ouvre le/]]) {
  test(`a chat reads the tags of ${id} and shows its card`, async (t) => {
    const page = await visit(t, browser, { javaScriptEnabled: false });
    await page.goto(`${joute.url}/c/${id}?utm_source=whatsapp`);
    const tags = Object.fromEntries(await page.locator('meta[property^="og:"],meta[name^="twitter:"]').evaluateAll((all) => all.map((one) => [one.getAttribute('property') ?? one.name, one.content])));
    assert.equal(tags['og:title'], 'Le pire CV vidéo');
    assert.equal(tags['og:url'], `${joute.url}/c/${id}`);
    assert.equal(await page.locator('link[rel=canonical]').getAttribute('href'), `${joute.url}/c/${id}`);
    assert.match(tags['og:description'], says);
    assert.match(tags['og:image:alt'], says);
    assert.equal(tags['og:locale'], 'fr_FR');
    assert.equal(tags['twitter:card'], 'summary_large_image');

    const answer = await page.request.get(tags['og:image']);
    assert.equal(answer.headers()['content-type'], 'image/png');
    assert.ok((await answer.body()).length < 60 * 1024, `${(await answer.body()).length} bytes`);
    const elsewhere = await visit(t, browser);
    await elsewhere.goto(host.page('/chat', '<p>Regarde ça</p>', { headers: { 'cross-origin-embedder-policy': 'require-corp' } }));
    assert.deepEqual(await size(elsewhere, tags['og:image']), [Number(tags['og:image:width']), Number(tags['og:image:height'])]);
    assert.deepEqual([tags['og:image:width'], tags['og:image:height']], ['1200', '630']);
  });
}

test('the badge of the generator shows in a page of another site, and asks for nothing more', async (t) => {
  const maker = await visit(t, browser);
  await maker.goto(`${joute.url}/c/cards/embed?entry=lumiere-1`);
  assert.deepEqual(await maker.locator('.badge img').evaluate((image) => image.decode().then(() => image.naturalHeight)), 48);
  const code = await maker.locator('#badge-html').inputValue();
  const page = await visit(t, browser);
  const seen = await watch(page);
  await page.goto(host.page('/badge', `<p>Votez pour nous</p>${code}`, { headers: { 'cross-origin-embedder-policy': 'require-corp' } }));
  const image = page.locator('img');
  const [width, height] = await image.evaluate((one) => one.decode().then(() => [one.naturalWidth, one.naturalHeight]));
  assert.ok(height === 48 && width > 100 && width <= 360, `${width} by ${height}`);
  assert.deepEqual(strangers(seen, joute.url, host.url), []);
  assert.equal(seen.requests.filter((request) => request.url().startsWith(joute.url)).length, 1);
  assert.deepEqual(seen.faults, []);
});

test('opened by itself the badge has a name, and its texts stay inside', async (t) => {
  const page = await visit(t, browser);
  const seen = await watch(page);
  for (const path of ['cards/lumiere-1.svg', 'cards/lumiere-1.svg?lang=en&theme=dark', 'cards-hidden/azur-1.svg', 'cards-upcoming/azur-1.svg', 'cards/nobody.svg']) {
    await page.goto(`${joute.url}/badge/${path}`);
    assert.notEqual(await page.evaluate(() => document.querySelector('title').textContent), '');
    const out = await page.evaluate(() => {
      const [, , width, height] = document.documentElement.getAttribute('viewBox').split(' ').map(Number);
      return [...document.querySelectorAll('text')].map((text) => text.getBBox()).filter((box) => box.x < 0 || box.y < 0 || box.x + box.width > width || box.y + box.height > height).length;
    });
    assert.equal(out, 0, path);
  }
  // The control: a refused status is said by the console, and nothing else is.
  assert.deepEqual(seen.faults.filter((fault) => !fault.includes('404')), []);
  assert.ok(seen.faults.some((fault) => fault.includes('404')));
});
