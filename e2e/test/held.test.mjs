// A ballot that is held: its voter is told why and what to do, on a phone; the
// organizer works the queue, by keyboard alone. With and without JavaScript.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { audit, sticksOut } from '../harness/audit.mjs';
import { contest, reviewed } from '../harness/contests.mjs';
import { desktop, focused, launch, phone, signIn, strangers, tabTo, visit, watch } from '../harness/browser.mjs';
import { key, start } from '../harness/joute.mjs';

let joute, browser;
before(async () => { [joute, browser] = await Promise.all([start(), launch()]); });
after(async () => { await browser?.close(); joute?.stop(); });

const standing = async (id, cast) => {
  const { standing, reasons } = await joute.call('GET', `/v1/contests/${id}/ballots/${cast.ballot}`, { pass: cast.receipt });
  return `${standing} ${reasons}`;
};

for (const javaScriptEnabled of [true, false]) {
  const how = javaScriptEnabled ? 'on' : 'off';

  test(`JavaScript ${how}: a held voter sees why and what to do, and writes to the organizers`, async (t) => {
    const id = `voter-${how}`;
    await joute.apply(reviewed(id));
    const page = await visit(t, browser, { javaScriptEnabled });
    await page.goto(`${joute.url}/c/${id}/e/azur-1`);
    await page.locator('button.vote').first().click();
    await page.waitForSelector('.status.wait');
    const status = page.locator('#status');
    assert.match(await status.innerText(), /vérifi/);
    assert.match(await status.innerText(), /rien ne montre encore/);
    assert.equal((await joute.board(id)).totals.counted, 0);

    await status.getByRole('link', { name: 'Ce que vous pouvez faire' }).click();
    await page.waitForSelector('#what');
    assert.equal(new URL(page.url()).hash, '#what');
    assert.match(await page.locator('main').innerText(), /rien ne montre encore/);
    assert.ok(await sticksOut(page) <= 0);

    const text = page.getByLabel('Votre message');
    assert.equal(await text.getAttribute('maxlength'), '500');
    await text.fill('\u0007 mal collé'); // what a form would never send by itself
    await page.getByRole('button', { name: 'Envoyer le message' }).click();
    await page.waitForSelector('#text-fault');
    assert.match(await page.locator('#text-fault').innerText(), /texte simple/);
    assert.equal(await text.getAttribute('aria-invalid'), 'true');
    assert.match(await text.inputValue(), /mal collé/);
    await text.fill("On partage l'ordinateur.\nC'était bien moi !");
    await page.getByRole('button', { name: 'Envoyer le message' }).click();
    await page.waitForSelector('.what .status.good');
    assert.match(await page.locator('.what').innerText(), /chez les organisateurs/);
    assert.equal(await page.locator('textarea').count(), 0);
    const queue = await joute.call('GET', `/v1/contests/${id}/held`);
    assert.equal(queue.groups[0].ballots[0].appeal, "On partage l'ordinateur.\nC'était bien moi !");
  });

  test(`JavaScript ${how}: an organizer keeps, voids and undoes by keyboard alone`, async (t) => {
    const id = `keys-${how}`;
    await joute.apply(reviewed(id));
    const crowd = await Promise.all(Array.from({ length: 12 }, () => joute.cast(id, 'lumiere-1')));
    const one = await joute.cast(id, 'azur-1');
    const page = await visit(t, browser, { viewport: desktop, javaScriptEnabled, locale: 'en-GB' });
    const press = async (selector) => {
      await tabTo(page, selector, 200);
      await Promise.all([page.waitForNavigation(), page.keyboard.press('Enter')]);
    };
    await page.goto(`${joute.url}/organize/${id}/held`);
    assert.equal(new URL(page.url()).pathname, '/organize/login');
    await focused(page, 'key');
    await page.keyboard.type('not the key');
    await Promise.all([page.waitForNavigation(), page.keyboard.press('Enter')]);
    assert.match(await page.locator('[role=alert]').innerText(), /not the organizer key/);
    await focused(page, 'key');
    await page.keyboard.type(key);
    await Promise.all([page.waitForURL(`**/organize/${id}/held`), page.keyboard.press('Enter')]);
    assert.match(await page.locator('main').innerText(), /13 ballots wait/);
    assert.equal(await page.locator('h2').count(), 2);

    const group = (name) => `section:has(h2:has-text("${name}"))`;
    const mark = (name, button) => page.locator(`${group(name)} ${button}`).first().evaluate((node) => { node.dataset.test = 'here'; });
    // The skip link leads past the head of the page.
    await tabTo(page, '.skip', 1);
    await page.keyboard.press('Enter');

    await mark('cafétéria', 'li button.good');
    await press('[data-test=here]');
    assert.match(await page.locator('#status').innerText(), /1 ballot counts now/);
    assert.equal(await standing(id, one), 'counted reviewed');
    await press('#status button');
    assert.match(await page.locator('#status').innerText(), /Undone/);
    assert.equal(await standing(id, one), 'held unproven');

    await mark('cafétéria', 'li input.code');
    await tabTo(page, '[data-test=here]', 200);
    await page.keyboard.press('Control+A');
    await page.keyboard.type('paid-votes');
    await mark('cafétéria', 'li button.bad');
    await page.evaluate(() => { document.querySelector('input[data-test]').removeAttribute('data-test'); });
    await press('[data-test=here]');
    assert.match(await page.locator('#status').innerText(), /1 ballot is void/);
    assert.equal(await standing(id, one), 'void paid-votes');

    await mark('légende', 'form[method=get] button');
    await press('[data-test=here]');
    assert.match(await page.locator('h2').innerText(), /Void 12 ballots\?/);
    assert.equal(await standing(id, crowd[0]), 'held unproven');
    await press('button.bad');
    assert.match(await page.locator('#status').innerText(), /12 ballots are void/);
    assert.match(await page.locator('main').innerText(), /All is decided/);
    for (const cast of crowd) assert.equal(await standing(id, cast), 'void farm');
    await press('#status button');
    assert.match(await page.locator('main').innerText(), /12 ballots wait/);

    const records = (await joute.ask('GET', `/v1/contests/${id}/ledger`)).split('\n').filter((line) => line.includes('"actor":"organizer"') && line.includes('"ballot"'));
    assert.equal(records.length, 1 + 1 + 1 + 12 + 12);

    await page.goto(`${joute.url}/organize/${id}/held`);
    await press('.out button');
    await page.goto(`${joute.url}/organize/${id}/held`);
    assert.equal(new URL(page.url()).pathname, '/organize/login');
  });
}

// They have no script at all: without JavaScript they are the same.
test('axe-core finds nothing on the pages of held ballots, and they weigh little', async (t) => {
  const id = 'axe';
  await joute.apply(reviewed(id));
  await joute.apply(contest('calm'));
  await Promise.all(['lumiere-1', 'azur-1', 'vercors-1', 'lumiere-2'].flatMap((entry) => Array.from({ length: 15 }, () => joute.cast(id, entry))));
  const held = await joute.cast(id, 'garonne-1'), gone = await joute.cast(id, 'beffroi-1');
  await joute.call('POST', `/v1/contests/${id}/standings`, { body: { ballots: [gone.ballot], standing: 'void', reason: 'farm' } });
  await joute.call('POST', `/v1/contests/${id}/ballots/${gone.ballot}/appeal`, { pass: gone.receipt, body: { text: 'Mon vote.\n'.repeat(40) } });
  const faults = [];
  for (const viewport of [phone, desktop]) {
    for (const colorScheme of ['light', 'dark']) {
      const page = await visit(t, browser, { viewport, colorScheme });
      const seen = await watch(page);
      await signIn(page, joute, key);
      for (const lang of ['fr', 'en']) {
        const look = async (name) => {
          for (const fault of await audit(page)) faults.push(`${name} ${lang} ${colorScheme} ${viewport.width}: ${fault}`);
          if (await page.locator('script').count()) faults.push(`${name}: a script`);
          if (await sticksOut(page) > 0) faults.push(`${name} ${lang} ${viewport.width}: wider than the screen`);
        };
        for (const path of [`/r/${held.receipt}`, `/r/${gone.receipt}`, '/organize', '/organize/login', `/organize/${id}/held`, '/organize/calm/held']) {
          await page.goto(`${joute.url}${path}?lang=${lang}`);
          await look(path);
        }
        await page.goto(`${joute.url}/organize/${id}/held?lang=${lang}`);
        await Promise.all([page.waitForNavigation(), page.locator('form[method=get] button').first().click()]);
        await look('confirm');
        await page.goto(`${joute.url}/r/${held.receipt}?lang=${lang}`);
        await page.fill('#text', '\u0007');
        await Promise.all([page.waitForNavigation(), page.locator('.what button').click()]);
        await look('refused appeal');
      }
      assert.deepEqual(strangers(seen, joute.url), []);
      faults.push(...seen.faults.filter((fault) => !/status of 400/.test(fault)));
    }
  }
  assert.deepEqual(faults, []);

  const page = await visit(t, browser);
  await signIn(page, joute, key);
  await page.goto(`${joute.url}/organize/${id}/held`);
  const packed = await page.evaluate(async () => {
    let css = 0;
    for (const link of document.querySelectorAll('link[rel=stylesheet]')) {
      const stream = (await fetch(link.href)).body.pipeThrough(new CompressionStream('gzip'));
      css += (await new Response(stream).arrayBuffer()).byteLength;
    }
    const html = await new Response((await fetch(location.href)).body.pipeThrough(new CompressionStream('gzip'))).arrayBuffer();
    return { css, html: html.byteLength };
  });
  t.diagnostic(JSON.stringify(packed));
  assert.ok(packed.css <= 8 * 1024 && packed.html <= 20 * 1024);
});
