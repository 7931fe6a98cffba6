// After a vote: the voter's own link by the device's menu, WhatsApp, the
// clipboard and a QR code; a friend who comes by it, and what the organizer
// sees of that. Also without JavaScript, on a phone, in both themes.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import jsqr from 'jsqr';
import { audit, sticksOut } from '../harness/audit.mjs';
import { contest } from '../harness/contests.mjs';
import { desktop, embed, launch, phone, strangers, tabTo, visit, watch } from '../harness/browser.mjs';
import { host as serveHost, voteTag } from '../harness/host.mjs';
import { start } from '../harness/joute.mjs';

let joute, host, browser;
before(async () => { [joute, host, browser] = await Promise.all([start(), serveHost(), launch()]); });
after(async () => { await browser?.close(); host?.stop(); joute?.stop(); });

const button = (page, entry) => page.locator(`[data-rows=entries] [data-id="${entry}"] button.vote`);

// voted is a page on which somebody has just voted.
async function voted(t, id, options, before = async () => {}) {
  await joute.apply(contest(id));
  const page = await visit(t, browser, options);
  await before(page);
  await page.goto(`${joute.url}/c/${id}`);
  await button(page, 'azur-1').click();
  await page.waitForSelector('.share');
  return page;
}

// reach waits for a report, which may be a second old, that is as the test wants it.
async function reach(id, ready) {
  for (const until = Date.now() + 10_000; ;) {
    const report = await joute.call('GET', `/v1/contests/${id}/reach`);
    if (ready(report)) return report;
    if (Date.now() > until) assert.fail(JSON.stringify(report));
    await new Promise((resolve) => { setTimeout(resolve, 100); });
  }
}
const channel = (report, id) => report.channels.find((row) => row.id === id);

for (const [name, viewport, colorScheme, locale] of [['phone', phone, 'light', 'fr-FR'], ['phone', phone, 'dark', 'en-GB'], ['desk', desktop, 'dark', 'fr-FR']]) {
  test(`the offer on a ${name}, ${colorScheme}, ${locale}: axe-core finds nothing, it fits, and it asks nobody else`, async (t) => {
    const page = await visit(t, browser, { viewport, colorScheme, locale });
    const seen = await watch(page);
    const id = `look-${name}-${colorScheme}`;
    await joute.apply(contest(id));
    await page.goto(`${joute.url}/c/${id}`);
    await button(page, 'azur-1').click();
    await page.waitForSelector('.share');
    await page.click('.share summary');
    assert.deepEqual(await audit(page), []);
    assert.ok(await sticksOut(page) <= 0);
    const card = await page.locator('.share').boundingBox();
    for (const target of await page.locator('.share button:visible, .share a, .share input, .share summary').all()) {
      const { x, width, height } = await target.boundingBox();
      assert.ok(height >= 44 && x > card.x && x + width < card.x + card.width, `${await target.evaluate((e) => e.outerHTML)}: ${x}, ${width} x ${height} px`);
    }
    assert.deepEqual(strangers(seen, joute.url), []);
    assert.deepEqual(seen.faults, []);
    if (process.env.JOUTE_PICTURES) await page.screenshot({ path: `${process.env.JOUTE_PICTURES}/share-${name}-${colorScheme}-${locale}.png`, fullPage: name === 'phone' });
  });
}

test('every button gives a link of its own, and says so to the server', async (t) => {
  const id = 'buttons';
  const page = await voted(t, id, { permissions: ['clipboard-read', 'clipboard-write'] }, (page) => page.addInitScript(() => {
    navigator.share = async (what) => { window.given = what; };
  }));
  await page.click('[data-native]');
  const { url, text } = await page.evaluate(() => window.given);
  assert.match(url, new RegExp(`^${joute.url}/s/[0-9a-z]{12}-n$`));
  assert.match(text, /Motivé par la cafétéria/);
  await page.click('[data-copied]');
  await page.getByText('Copié.').waitFor();
  const code = url.slice(-14, -2);
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), `${joute.url}/s/${code}-c`);
  await page.click('.share summary');
  const picture = await page.locator('.share .qr').screenshot();
  assert.equal(await read(page, picture), `${joute.url}/s/${code}-q`);
  const asked = new URL(await page.getAttribute('[data-channel=whatsapp]', 'href'));
  assert.equal(asked.origin, 'https://wa.me');
  assert.match(asked.searchParams.get('text'), new RegExp(`Motivé par la cafétéria.* ${joute.url}/s/${code}-w$`));
  await page.context().route('https://wa.me/**', (route) => route.fulfill({ body: 'sent' }));
  const [chat] = await Promise.all([page.context().waitForEvent('page'), page.click('[data-channel=whatsapp]')]);
  await chat.waitForLoadState();
  assert.equal(await chat.evaluate(() => document.referrer), '');
  const report = await reach(id, (r) => r.totals.shares === 4);
  for (const name of ['native', 'copy', 'qr', 'whatsapp']) assert.equal(channel(report, name).shares, 1, name);
  assert.equal(report.totals.visits, 0);
});

// read is what a QR code in a picture says.
async function read(page, picture) {
  const { data, width, height } = await page.evaluate(async (base64) => {
    const image = new Image();
    image.src = `data:image/png;base64,${base64}`;
    await image.decode();
    const canvas = Object.assign(document.createElement('canvas'), { width: image.width, height: image.height });
    canvas.getContext('2d').drawImage(image, 0, 0);
    return { width: image.width, height: image.height, data: [...canvas.getContext('2d').getImageData(0, 0, image.width, image.height).data] };
  }, picture.toString('base64'));
  return jsqr(Uint8ClampedArray.from(data), width, height)?.data;
}

for (const javaScriptEnabled of [true, false]) {
  test(`a friend comes by the link, votes, and shows in the sharer's school; JavaScript ${javaScriptEnabled ? 'on' : 'off'}`, async (t) => {
    const id = `friend-${javaScriptEnabled ? 'on' : 'off'}`;
    const page = await voted(t, id, { javaScriptEnabled });
    const link = await page.inputValue('#share-link');
    const friend = await visit(t, browser, { javaScriptEnabled, locale: 'en-GB' });
    const seen = javaScriptEnabled ? await watch(friend) : { kept: [], faults: [] };
    await friend.goto(link);
    assert.match(friend.url(), new RegExp(`^${joute.url}/c/${id}/e/azur-1\\?via=`));
    assert.deepEqual([...seen.kept, ...seen.faults], []); // nothing is left with them for having come
    // They look around, and vote for another.
    await friend.click('.back a');
    await button(friend, 'lumiere-1').click();
    await friend.waitForSelector('.share');
    const report = await reach(id, (r) => r.totals.ballots === 1);
    const azur = report.schools.find((row) => row.id === 'azur');
    assert.deepEqual([azur.ballots, azur.visits, azur.shares, azur.from_voters], [1, 1, 1, 1]);
    assert.equal(channel(report, 'copy').ballots, 1);
  });
}

test('by keyboard alone', async (t) => {
  const page = await voted(t, 'keys', { permissions: ['clipboard-read', 'clipboard-write'] });
  await tabTo(page, '[data-copied]');
  await page.keyboard.press('Enter');
  await page.getByText('Copié.').waitFor();
  await tabTo(page, '.share summary');
  await page.keyboard.press('Enter');
  await page.waitForSelector('.share .qr', { state: 'visible' });
});

test('who votes in a frame gets a link too: by the menu, or by an app', async (t) => {
  await joute.apply(contest('framed', { embed: { origins: [host.url] } }));
  for (const menu of [true, false]) {
    const page = await visit(t, browser);
    await page.addInitScript((menu) => {
      Object.defineProperty(navigator, 'share', { value: menu ? async (what) => { window.given = what; } : undefined });
    }, menu);
    await page.context().route('https://wa.me/**', (route) => route.fulfill({ body: 'sent' }));
    await page.goto(host.page(`/framed-${menu}`, await voteTag(joute, 'framed', 'azur-1')));
    const frame = await embed(page);
    await frame.click('[data-joute=vote]');
    await frame.waitForSelector('[data-joute=confirm].armed');
    await frame.click('[data-joute=confirm]');
    const share = await frame.waitForSelector('[data-joute=share]', { state: 'visible' });
    assert.deepEqual(await audit(page), []);
    const { y, height } = await share.boundingBox();
    const around = await page.locator('iframe').boundingBox();
    assert.ok(height >= 44 && y + height <= around.y + around.height, `${y} + ${height} in ${around.y} + ${around.height}`);
    if (process.env.JOUTE_PICTURES) await page.screenshot({ path: `${process.env.JOUTE_PICTURES}/share-frame.png` });
    if (menu) {
      await share.click();
      assert.match((await frame.evaluate(() => window.given)).url, new RegExp(`^${joute.url}/s/[0-9a-z]{12}-n$`));
    } else {
      const [chat] = await Promise.all([page.context().waitForEvent('page'), share.click()]);
      await chat.waitForURL('https://wa.me/**');
      assert.match(new URL(chat.url()).searchParams.get('text'), /\/s\/[0-9a-z]{12}-w$/);
    }
  }
});

test('the loader takes a code from the address of the page it is in', async (t) => {
  await joute.apply(contest('loader'));
  const page = await visit(t, browser);
  const blog = host.page('/blog', `<script src="${joute.url}/embed/v1/loader.js"></script><joute-vote contest="loader" entry="azur-1"></joute-vote>`);
  const src = () => page.locator('joute-vote iframe').getAttribute('src');
  for (const [query, want] of [['?via=abcdefghjkmn-w', 'abcdefghjkmn-w'], ['?x=1&via=abcdefghjkmn', 'abcdefghjkmn'], ['', null], ['?via=%22%3E', null]]) {
    await page.goto(blog + query);
    await page.waitForSelector('joute-vote iframe[src]', { state: 'attached' });
    assert.equal(new URL(await src()).searchParams.get('via'), want);
  }
});
