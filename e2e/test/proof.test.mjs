// A proof by e-mail where it is not smooth: asked for before the vote, given on a
// second device, while no mail leaves, after too many wrong codes, and by who
// voted in a frame of another site.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { contest, reviewed } from '../harness/contests.mjs';
import { embed, focused, launch, visit } from '../harness/browser.mjs';
import { host as serveHost } from '../harness/host.mjs';
import { start } from '../harness/joute.mjs';
import { mailbox } from '../harness/mail.mjs';
import { askCode, giveCode, inOrder, landed, press, prove, until, vote } from '../harness/voter.mjs';

let joute, box, host, browser;
before(async () => {
  [box, host, browser] = await Promise.all([mailbox(), serveHost(), launch()]);
  joute = await start({ smtp: box.smtp });
});
after(async () => { await browser?.close(); joute?.stop(); host?.stop(); box?.stop(); });

async function open(t, id, options) {
  const page = await visit(t, browser, options);
  await page.goto(`${joute.url}/c/${id}/e/azur-1`);
  return page;
}

for (const javaScriptEnabled of [true, false]) {
  test(`where the contest asks for an address, a vote takes three screens; JavaScript ${javaScriptEnabled ? 'on' : 'off'}`, async (t) => {
    const id = `asked-${javaScriptEnabled ? 'on' : 'off'}`, own = `${id}@example.org`;
    await joute.apply(contest(id, { identity: 'email' }));
    const page = await open(t, id, { javaScriptEnabled });
    await press(page, '.hero .vote');
    assert.match(await page.locator('main').innerText(), /Pour voter pour «\s*Motivé par la cafétéria\s*»/); // the first
    assert.equal(await joute.counted(id), 0);
    await askCode(page, own);
    assert.match(await page.locator('main').innerText(), /Les six chiffres reçus/); // the second
    await giveCode(page, box, own);
    await landed(page); // the third
    assert.match(await page.locator('#status').innerText(), /Votre vote est compté[^]*Votre adresse est confirmée/);
    assert.equal(await joute.counted(id), 1);
    await page.goBack(); // to the code, which was used
    await page.fill('#code', await box.code(own));
    await press(page, 'main .vote');
    assert.match(await page.locator('#fault').innerText(), /code/);
    assert.equal(await joute.counted(id), 1);
  });
}

test('one address on two devices is one voter: the second vote is void, and its page says why', async (t) => {
  const id = 'devices', own = 'two@example.org';
  await joute.apply(contest(id));
  const [one, two] = [await open(t, id), await open(t, id)];
  for (const page of [one, two]) assert.match(await vote(page), /Votre vote est compté/);
  assert.equal(await joute.counted(id), 2);
  assert.match(await prove(one, box, own, 1), /Votre vote est compté/);
  assert.match(await prove(two, box, own, 2), /Ce vote ne compte plus[^]*une personne qui avait déjà voté/);
  assert.equal(await joute.counted(id), 1);
  await inOrder(two, 'status'); // nothing to share, nothing to join
  await press(two, two.getByRole('link', { name: 'Ce que vous pouvez faire' }));
  assert.match(await two.locator('main').innerText(), /Raison\s: il semble venir d'une personne qui avait déjà voté[^]*Écrire aux organisateurs/);
  const voids = (await joute.ask('GET', `/v1/contests/${id}/ledger`)).split('\n').filter((line) => line.includes('"void"') && line.includes('same-voter'));
  assert.equal(voids.length, 1);
});

test('while no mail leaves, the page says so, the vote stands, and the code comes later', async (t) => {
  const id = 'outage', own = 'late@example.org';
  await joute.apply(contest(id));
  const page = await open(t, id);
  assert.match(await vote(page), /Votre vote est compté/);
  await box.down();
  t.after(() => box.up());
  await press(page, '.offer a');
  await askCode(page, own);
  await until(async () => { await page.reload(); return page.locator('.notice').allInnerTexts(); }, (said) => said.some((text) => /ne partent pas/.test(text)));
  assert.equal(await joute.counted(id), 1);
  assert.ok(await page.isVisible('#code'), 'what was asked for still waits');
  await box.up();
  await giveCode(page, box, own);
  await landed(page);
  assert.match(await page.locator('#status').innerText(), /Votre adresse est confirmée/);
  assert.equal(await joute.counted(id), 1);
});

test('after five wrong codes another must be asked for', async (t) => {
  const id = 'guesses', own = 'guess@example.org';
  await joute.apply(reviewed(id));
  const page = await open(t, id);
  await vote(page);
  await press(page, '.offer a');
  await askCode(page, own);
  const code = await box.code(own), wrong = code === '000000' ? '000001' : '000000';
  for (const left of [4, 3, 2, 1]) {
    await page.fill('#code', wrong);
    await press(page, 'main .vote');
    assert.match(await page.locator('#fault').innerText(), new RegExp(`\\b${left === 1 ? '(1|un)' : left}\\b`));
    await focused(page, 'code');
  }
  await page.fill('#code', wrong);
  await press(page, 'main .vote');
  assert.equal(await page.locator('#code').count(), 0);
  assert.match(await page.locator('#fault').innerText(), /autre/);
  assert.equal(await joute.counted(id), 0);
  await askCode(page, own);
  await giveCode(page, box, own, 2);
  await landed(page);
  assert.equal(await joute.counted(id), 1);
});

test('who is held in a frame of another site, and came by a link, proves in our window: the ballot counts, and for the link', async (t) => {
  const id = 'framed', own = 'framed@example.org';
  await joute.apply(reviewed(id, { embed: { origins: [host.url] } }));
  // Somebody who has voted gives their link; a blog shows the widget.
  const sharer = await open(t, id);
  await vote(sharer);
  const code = /\/s\/([0-9a-z]{12}-\w)$/.exec(await sharer.inputValue('#share-link'))[1];
  await prove(sharer, box, 'sharer@example.org');

  const page = await visit(t, browser, { timezoneId: 'Europe/Lisbon' }); // another machine than the sharer's
  await page.goto(host.page('/blog', `<h1>Mon blog</h1><script src="${joute.url}/embed/v1/loader.js"></script><joute-vote contest="${id}" entry="azur-1"></joute-vote>`) + `?via=${code}`);
  const frame = await embed(page);
  await frame.click('[data-joute=vote]');
  await frame.waitForSelector('[data-joute=confirm].armed');
  await frame.click('[data-joute=confirm]');
  await frame.waitForSelector('[data-joute=status].wait strong');
  assert.match(await frame.innerText('[data-joute=status]'), /vérification/);
  assert.equal(await joute.counted(id), 1);
  const [ours] = await Promise.all([page.context().waitForEvent('page'), frame.click('[data-joute=receipt]')]);
  await ours.waitForLoadState();
  assert.match(await ours.locator('main').innerText(), /Ce vote est en cours de vérification/);
  await press(ours, '#what a.vote');
  await askCode(ours, own);
  await giveCode(ours, box, own);
  await landed(ours);
  assert.match(await ours.locator('main').innerText(), /Ce vote est compté/);
  assert.equal(await joute.counted(id), 2);
  const report = await until(() => joute.call('GET', `/v1/contests/${id}/reach`), ({ totals }) => totals.ballots === 1);
  assert.equal(report.totals.proven_voters, 1);
});
