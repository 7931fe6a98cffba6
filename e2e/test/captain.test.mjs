// A captain's page on a phone, with JavaScript and without; and what it gives to
// print and to post: pictures whose code, read from the picture, leads to the vote.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { audit, sticksOut } from '../harness/audit.mjs';
import { contest, crowd, frozen, hidden } from '../harness/contests.mjs';
import { desktop, launch, phone, strangers, visit, watch } from '../harness/browser.mjs';
import { start } from '../harness/joute.mjs';
import { languages, themes } from '../harness/pages.mjs';

const jsQR = readFileSync(createRequire(import.meta.url).resolve('jsqr'), 'utf8');

let joute, browser;
before(async () => {
  [joute, browser] = await Promise.all([start(), launch()]);
  for (const document of [contest('campaign'), hidden('campaign-hidden'), frozen('campaign-frozen'), contest('campaign-over')]) {
    await joute.apply(document);
    await crowd(joute, document.id);
  }
  await joute.close('campaign-over');
});
after(async () => { await browser?.close(); joute?.stop(); });

// captain is the link of a school's captain, as browsers reach the server here.
async function captain(id, school = 'lumiere', more = {}) {
  const { url } = await joute.call('POST', `/v1/contests/${id}/captains`, { body: { school, ...more } });
  return joute.url + new URL(url).pathname;
}

// channels are the rows of a captain's page once there are so many: who brought
// whom is read once a second.
async function channels(page, wanted) {
  for (const until = Date.now() + 5000; Date.now() < until;) {
    await page.reload();
    const rows = await page.locator('.channels tbody tr').evaluateAll((rows) => rows.map((row) => [...row.children].map((cell) => cell.textContent)));
    if (rows.length === wanted) return rows;
  }
  return null;
}

// reader reads a QR code from a picture.
async function reader(t) {
  const page = await visit(t, browser);
  await page.addScriptTag({ content: jsQR });
  return (picture) => page.evaluate(async (picture) => {
    const image = new Image();
    image.src = `data:image/png;base64,${picture}`;
    await image.decode();
    const canvas = Object.assign(document.createElement('canvas'), { width: image.width, height: image.height }), on = canvas.getContext('2d');
    on.drawImage(image, 0, 0);
    const code = window.jsQR(on.getImageData(0, 0, image.width, image.height).data, image.width, image.height);
    return { width: image.width, height: image.height, link: code?.data ?? null };
  }, picture.toString('base64'));
}

// shared brings a vote by a link, without JavaScript.
async function shared(t, link, entry) {
  const page = await visit(t, browser, { javaScriptEnabled: false });
  await page.goto(link);
  await page.locator(`form:has(input[name=entry][value=${entry}]) button.vote`).click();
  await page.waitForURL(/receipt=/);
}

test('axe finds nothing, nothing sticks out, and it weighs little', async (t) => {
  await shared(t, (await link(t, 'campaign')), 'lumiere-1');
  for (const id of ['campaign', 'campaign-hidden', 'campaign-frozen', 'campaign-over']) {
    const url = await captain(id);
    for (const viewport of [phone, desktop]) for (const colorScheme of themes) for (const lang of languages) {
      const name = `${id} ${viewport.width} ${colorScheme} ${lang}`;
      const page = await visit(t, browser, { viewport, colorScheme });
      const seen = await watch(page);
      await page.goto(`${url}?lang=${lang}`);
      for (const details of await page.locator('summary').all()) await details.click();
      assert.deepEqual(await audit(page), [], name);
      assert.equal(await sticksOut(page), 0, name);
      assert.deepEqual([seen.faults, seen.kept, strangers(seen, joute.url)], [[], [], []], name);
      if (process.env.SCREENSHOTS) await page.screenshot({ path: `${process.env.SCREENSHOTS}/${name.replaceAll(' ', '-')}.png`, fullPage: true });
      let css = 0;
      for (const request of seen.requests) if (request.resourceType() === 'stylesheet') css += gzipSync(await (await request.response()).body()).length;
      const html = gzipSync(await page.content()).length;
      assert.ok(html <= 20 * 1024 && css <= 8 * 1024, `${name}: HTML ${html}, CSS ${css}`);
      await page.context().close();
    }
  }
});

// link is the school's own link, as its page shows it.
async function link(t, id, school) {
  const page = await visit(t, browser);
  await page.goto(await captain(id, school));
  return page.locator('#link').inputValue();
}

test('a captain sees the school’s place and what each way of sharing brought, JavaScript off', async (t) => {
  await joute.apply(contest('ways'));
  await crowd(joute, 'ways', { 'lumiere-1': 4, 'azur-1': 9, 'vercors-1': 1 });
  const url = await captain('ways');
  const page = await visit(t, browser, { javaScriptEnabled: false });
  await page.goto(url);
  assert.equal(await page.locator('h1').innerText(), 'École Lumière');
  const facts = await page.locator('.facts').innerText();
  // 4 of 9000 students; Azur has 9 of 10000, Vercors 1 of 8000.
  assert.match(facts, /^2\s+e?.*sur 8/);
  assert.match(facts, /\+?5\s+votes pour dépasser Azur School of Management/);
  assert.match(facts, /3\s+votes manquent à Vercors Business School pour vous dépasser/);
  assert.match(await page.locator('.channels').innerText(), /Personne n'est encore venu/);

  const poster = await page.request.get(new URL(await page.locator('a[href*="poster.svg"]').first().getAttribute('href'), url).href);
  assert.equal(poster.headers()['content-type'], 'image/svg+xml');
  await shared(t, await page.locator('#link').inputValue(), 'lumiere-1');
  const message = await page.locator('#message-fr').inputValue();
  assert.match(message, /^Votez pour École Lumière au concours «\u00a0Le pire CV vidéo\u00a0»/);
  await shared(t, /https?:\S+$/.exec(message)[0], 'lumiere-2');
  assert.match(await page.locator('#message-en').inputValue(), /^Vote for École Lumière in “The worst video CV”/);

  assert.deepEqual(await channels(page, 2), [['Lien copié', '1', '1', '100\u00a0%'], ['Message à coller', '1', '1', '100\u00a0%']]);
  assert.match(await page.locator('.facts').innerText(), /6\s+votes/);
  assert.doesNotMatch(await page.content(), /name="pass"|[0-9a-f]{32}/, 'nothing of a voter');
});

test('pictures are read by a camera, in both languages, and lead to the vote', async (t) => {
  const read = await reader(t);
  const url = await captain('campaign', 'azur');
  for (const lang of languages) {
    const page = await visit(t, browser, { viewport: { width: 794, height: 1123 } });
    await page.goto(`${url}?lang=${lang}`);
    const hrefs = await page.locator('.pictures a').evaluateAll((all) => all.map((one) => one.href));
    assert.equal(hrefs.length, 4, 'of the school, and of its entry');
    for (const href of hrefs) {
      let picture;
      if (href.includes('story')) {
        const answer = await page.request.get(href);
        picture = await answer.body();
        assert.equal(answer.headers()['content-type'], 'image/png');
        assert.ok(picture.length <= 300 * 1024, `${picture.length} bytes`);
      } else {
        await page.goto(href);
        picture = await page.screenshot();
        const printed = (await page.pdf({ format: 'A4', margin: { top: '10mm', bottom: '10mm', left: '10mm', right: '10mm' } })).toString('latin1');
        assert.equal(printed.match(/\/Type\s*\/Page\b/g).length, 1, 'one sheet');
      }
      const { link, width, height } = await read(picture);
      if (href.includes('story')) assert.deepEqual([width, height], [1080, 1920]);
      assert.match(link, new RegExp(`^${joute.url}/s/[0-9a-z]{12}-${href.includes('story') ? 's' : 'p'}$`));
      const visitor = await visit(t, browser);
      await visitor.goto(link);
      assert.equal(new URL(visitor.url()).pathname, href.includes('entry=') ? '/c/campaign/e/azur-1' : '/c/campaign/s/azur');
    }
  }
});

test('what is copied is what is shown', async (t) => {
  const page = await visit(t, browser, { permissions: ['clipboard-read', 'clipboard-write'] });
  await page.goto(await captain('campaign'));
  for (const id of ['link', 'message-fr', 'message-en']) {
    await page.locator(`[data-copy=${id}]`).click();
    await page.waitForFunction(() => document.getElementById('copied').textContent === 'Copié.');
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), await page.locator(`#${id}`).inputValue());
  }
});

test('secret numbers are secret here too: visits alone are told', async (t) => {
  for (const id of ['campaign-hidden', 'campaign-frozen']) {
    const url = await captain(id);
    const page = await visit(t, browser);
    await page.goto(url);
    await shared(t, await page.locator('#link').inputValue(), 'lumiere-1');
    assert.deepEqual(await channels(page, 1), [['Lien copié', '1']], id);
    assert.deepEqual(await page.locator('.channels thead th').allInnerTexts(), ['Par', 'Visites']);
    assert.equal(await page.locator('.facts').count(), id === 'campaign-hidden' ? 0 : 1);
  }
});

test('a renewed link opens alone, and says so where it does not', async (t) => {
  const before = await captain('campaign', 'garonne');
  assert.equal(await captain('campaign', 'garonne'), before);
  const now = await captain('campaign', 'garonne', { renew: true });
  const page = await visit(t, browser);
  assert.equal((await page.goto(before)).status(), 404);
  assert.match(await page.locator('.lead').innerText(), /Ce lien de capitaine n'ouvre rien/);
  assert.equal((await page.goto(now)).status(), 200);
});
