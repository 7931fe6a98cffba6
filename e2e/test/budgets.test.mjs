// What a visitor pays before they vote: bytes, requests, nothing from anybody
// else, nothing kept; and nothing that moves in the page of a host.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { contest, crowd } from '../harness/contests.mjs';
import { embed, launch, strangers, visit, watch } from '../harness/browser.mjs';
import { boardTag, host as serveHost, voteTag } from '../harness/host.mjs';
import { start } from '../harness/joute.mjs';
import { mailbox } from '../harness/mail.mjs';
import { community, vote } from '../harness/voter.mjs';

let joute, host, box, browser;
before(async () => {
  [box, host, browser] = await Promise.all([mailbox(), serveHost(), launch()]);
  joute = await start({ smtp: box.smtp });
  await joute.apply(contest('budget', { embed: { origins: [host.url] } }));
  await crowd(joute, 'budget');
});
after(async () => { await browser?.close(); host?.stop(); joute?.stop(); box?.stop(); });

const kib = 1024;

// weigh sums what was loaded, gzipped, by kind: the server may leave that to a
// proxy, so it is done here. Streams and what moves later are not of the first view.
async function weigh(seen, of = () => true) {
  const weight = { document: 0, stylesheet: 0, script: 0, image: 0, all: 0, requests: 0 };
  for (const request of seen.requests.filter(of)) {
    const kind = request.resourceType();
    if (!(kind in weight) && kind !== 'font') continue;
    const answer = await request.response();
    const size = gzipSync(await answer.body()).length;
    weight[kind] = (weight[kind] ?? 0) + size;
    weight.all += size;
    weight.requests++;
  }
  return weight;
}

for (const path of ['/', '/c/budget', '/c/budget/e/lumiere-1', '/c/budget/s/lumiere', '/c/budget/embed', '/c/budget/e/azur-1/confirm']) {
  test(`budget of ${path}`, async (t) => {
    const page = await visit(t, browser);
    const seen = await watch(page);
    await page.goto(joute.url + path, { waitUntil: 'load' });
    const weight = await weigh(seen, (request) => request.frame() === page.mainFrame());
    t.diagnostic(JSON.stringify(weight));
    assert.ok(weight.document <= 20 * kib, `HTML ${weight.document}`);
    assert.ok(weight.stylesheet <= 8 * kib, `CSS ${weight.stylesheet}`);
    assert.ok(weight.script <= 25 * kib, `scripts ${weight.script}`);
    assert.ok(weight.image <= 80 * kib, `pictures ${weight.image}`);
    assert.deepEqual(strangers(seen, joute.url), []);
    assert.deepEqual(seen.kept, []);
    assert.deepEqual(seen.faults, []);
  });
}

// With all that is offered then, and its QR code.
test('budget of the page after a vote', async (t) => {
  await joute.apply(contest('budget-after', community));
  const page = await visit(t, browser);
  await page.goto(`${joute.url}/c/budget-after/e/lumiere-1`);
  const seen = await watch(page);
  await vote(page);
  await page.waitForLoadState();
  const weight = await weigh(seen, (request) => request.method() === 'GET');
  t.diagnostic(JSON.stringify(weight));
  assert.ok(weight.document > 0 && weight.document <= 20 * kib, `HTML ${weight.document}`);
  assert.ok(weight.stylesheet <= 8 * kib, `CSS ${weight.stylesheet}`);
  assert.ok(weight.script <= 25 * kib, `scripts ${weight.script}`);
  assert.deepEqual(strangers(seen, joute.url), []);
  assert.deepEqual(seen.faults, []);
});

for (const [name, tag] of [['vote', () => voteTag(joute, 'budget', 'azur-1')], ['board', () => boardTag(joute, 'budget')]]) {
  test(`budget of the ${name} widget`, async (t) => {
    const page = await visit(t, browser);
    const seen = await watch(page);
    await page.addInitScript(() => {
      window.shift = 0;
      new PerformanceObserver((list) => { for (const entry of list.getEntries()) window.shift += entry.value; }).observe({ type: 'layout-shift', buffered: true });
    });
    await page.goto(host.page(`/${name}`, `<h1>Mon blog</h1>${await tag()}<p>Suite de la page</p>`));
    const frame = await embed(page);
    await page.waitForFunction(() => document.querySelector('joute-vote,joute-board').shadowRoot.querySelector('iframe').style.visibility === 'visible');
    const own = await weigh(seen, (request) => request.frame() === frame);
    const loader = await weigh(seen, (request) => request.url().endsWith('/loader.js'));
    t.diagnostic(`frame ${JSON.stringify(own)}, loader ${loader.all}`);
    assert.ok(loader.all <= 3 * kib && loader.requests === 1, `loader ${loader.all}`);
    assert.ok(own.all <= 15 * kib, `frame ${own.all}`);
    assert.ok(own.requests <= 3, `frame: ${own.requests} requests`);
    assert.deepEqual(strangers(seen, joute.url, host.url), []);
    assert.deepEqual(seen.kept, []);
    assert.deepEqual(seen.faults, []);
    assert.equal(await page.evaluate(() => window.shift), 0, 'the page around does not move');
  });
}

test('control: a picture from elsewhere, a cookie and a shift are seen', async (t) => {
  const page = await visit(t, browser);
  const seen = await watch(page);
  await page.goto(host.page('/bad', `<p>Texte</p><img src="${host.other}/pixel.png" alt=""><script>
    document.cookie = 'a=b'; localStorage.c = 'd'; window.shift = 0;
    new PerformanceObserver((list) => { for (const entry of list.getEntries()) window.shift += entry.value; }).observe({ type: 'layout-shift', buffered: true });
    setTimeout(() => document.body.insertAdjacentHTML('afterbegin', '<div style="height:300px">Publicité</div>'), 100);</script>`,
  { headers: { 'content-security-policy': "style-src 'none'" } }));
  await page.waitForFunction(() => window.shift > 0);
  assert.deepEqual(strangers(seen, joute.url, host.url), [`${host.other}/pixel.png`]);
  assert.deepEqual(seen.kept, ['cookie', 'localStorage']);
  assert.ok(seen.faults.some((fault) => fault.startsWith('refused: style-src')), seen.faults.join('\n'));
});
