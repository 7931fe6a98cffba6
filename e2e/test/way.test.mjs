// The whole way of a voter, on a phone: a vote that is held, its proof by a code
// from the mailbox, the count, the community, a friend who comes by the voter's
// link, what school and captain see of it, and out of the community by a mail's
// link in a browser that knows nobody. In French and English, with JavaScript and
// without, by keyboard. JOUTE_E2E=quick goes it once.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { audit, sticksOut } from '../harness/audit.mjs';
import { reviewed } from '../harness/contests.mjs';
import { desktop, focused, launch, strangers, tabTo, visit, watch } from '../harness/browser.mjs';
import { start } from '../harness/joute.mjs';
import { mailbox } from '../harness/mail.mjs';
import { themes } from '../harness/pages.mjs';
import { askCode, community, filled, giveCode, inOrder, landed, press, prove, until, vote } from '../harness/voter.mjs';

let joute, box, browser;
before(async () => {
  [box, browser] = await Promise.all([mailbox(), launch()]);
  joute = await start({ smtp: box.smtp });
});
after(async () => { await browser?.close(); joute?.stop(); box?.stop(); });

const quick = process.env.JOUTE_E2E === 'quick';
const words = {
  fr: {
    locale: 'fr-FR', held: /en cours de vérification[^]*rien ne montre encore/, what: 'Ce que vous pouvez faire',
    again: /déjà voté[^]*ne compte pas encore/, twice: /déjà voté[^]*Votre vote compte/, counted: /Votre vote est compté[^]*Votre adresse est confirmée/,
    untick: /Cochez cette case/, mail: /Regardez vos mails/i, joined: /Vous avez rejoint Tremplin/, left: /n'a pas votre adresse/,
  },
  en: {
    locale: 'en-GB', held: /kept for review[^]*nothing shows yet/, what: 'What you can do',
    again: /already voted[^]*does not count yet/, twice: /already voted[^]*Your vote counts/, counted: /Your vote is counted[^]*Your address is confirmed/,
    untick: /Tick this box/, mail: /Look into your mail/i, joined: /You have joined Tremplin/, left: /does not have your address/,
  },
};

// look holds a page to the screen and to axe-core, in both themes.
async function look(page, name) {
  if (process.env.JOUTE_PICTURES) await page.screenshot({ path: `${process.env.JOUTE_PICTURES}/${name}.png`, fullPage: true });
  const faults = [];
  for (const colorScheme of themes) {
    await page.emulateMedia({ colorScheme });
    for (const fault of await audit(page)) faults.push(`${colorScheme}: ${fault}`);
  }
  assert.deepEqual(faults, [], name);
  assert.ok(await sticksOut(page) <= 0, `${name} is wider than the screen`);
}

// still shows the document of a page without JavaScript in one where axe-core can
// run: no script of ours is loaded there.
async function still(t) {
  const copy = await visit(t, browser);
  let html;
  await copy.route(/\.js$/, (route) => route.abort());
  await copy.route(/./, (route) => (route.request().isNavigationRequest() ? route.fulfill({ contentType: 'text/html; charset=utf-8', body: html }) : route.fallback()));
  return async (page) => {
    html = await page.content();
    await copy.goto(page.url());
    return copy;
  };
}

const members = async (id) => (await joute.call('GET', `/v1/contests/${id}/fans`)).fans.map((fan) => fan.email);

// the voter's own link, as they would send it
const ways = {
  async whatsapp(page) {
    await page.context().route('https://wa.me/**', (route) => route.fulfill({ body: 'sent' }));
    const [chat] = await Promise.all([page.context().waitForEvent('page'), page.click('[data-channel=whatsapp]')]);
    await chat.waitForURL('https://wa.me/**');
    return /http\S+$/.exec(new URL(chat.url()).searchParams.get('text'))[0];
  },
  async copy(page) {
    await page.click('[data-copied]');
    await page.waitForFunction(() => document.querySelector('[data-said]').textContent !== '');
    return page.evaluate(() => navigator.clipboard.readText());
  },
  typed: (page) => page.inputValue('#share-link'),
};

const journeys = [['fr', true, 'whatsapp'], ['en', true, 'copy'], ['fr', false, 'typed']];
for (const [lang, javaScriptEnabled, way] of quick ? journeys.slice(0, 1) : journeys) {
  const on = javaScriptEnabled ? 'on' : 'off';
  test(`the whole way in ${lang}, JavaScript ${on}`, async (t) => {
    const say = words[lang], id = `way-${lang}-${on}`;
    const shown = javaScriptEnabled ? (page) => page : await still(t);
    const see = async (page, name) => look(await shown(page), `${id}-${name}`);
    const options = { locale: say.locale, javaScriptEnabled, permissions: javaScriptEnabled ? ['clipboard-read', 'clipboard-write'] : [] };
    const own = `ada.${id}@example.org`, theirs = `grace.${id}@example.org`;
    await joute.apply(reviewed(id, community));
    const screen = await visit(t, browser, { viewport: desktop });
    await screen.goto(`${joute.url}/c/${id}`);
    const shows = (n) => screen.waitForFunction((n) => document.querySelector('[data-total]').textContent === n, String(n), { timeout: 5000 });

    // The vote, and why it is held.
    const page = await visit(t, browser, options);
    const seen = javaScriptEnabled ? await watch(page) : { requests: [], faults: [] };
    await page.goto(`${joute.url}/c/${id}/e/azur-1`);
    assert.match(await vote(page), say.held);
    await inOrder(page, 'status', 'offer', 'share', 'fan');
    assert.equal((await filled(page)).length, 1, 'one thing to do next: to prove');
    assert.equal(await joute.counted(id), 0);
    await see(page, 'held');
    await press(page, page.getByRole('link', { name: say.what }));
    assert.equal(new URL(page.url()).hash, '#what');
    await see(page, 'what');

    // Whoever comes back to the page later, and presses again, is told the same.
    await page.goto(`${joute.url}/c/${id}/e/azur-1`);
    assert.match(await vote(page), say.again);
    await inOrder(page, 'status', 'offer', 'share', 'fan');

    // The proof; the ballot counts, and a screen elsewhere moves.
    await press(page, '.offer a');
    await see(page, 'address');
    await askCode(page, own);
    await see(page, 'code');
    await giveCode(page, box, own);
    await landed(page);
    assert.match(await page.locator('#status').innerText(), say.counted);
    await shows(1);
    assert.equal(await joute.counted(id), 1);
    await inOrder(page, 'status', 'share', 'fan');
    assert.equal((await filled(page)).length, 1, 'one thing to do next: to share');
    await see(page, 'counted');

    // The community: nothing is ticked, and nothing asked of who ticks nothing.
    assert.equal(await page.isChecked('#fan-opt-in'), false);
    assert.equal(await page.isVisible('#fan-email'), false);
    const [yes, no] = await Promise.all(['.choice button', '.choice a'].map((choice) => page.locator(choice).boundingBox()));
    assert.deepEqual([yes.width, yes.height, yes.y], [no.width, no.height, no.y], 'to refuse is as easy');
    await press(page, '.choice button');
    assert.match(await page.locator('#fan-opt-in-fault').innerText(), say.untick);
    await focused(page, 'fan-opt-in');
    await see(page, 'unticked');
    await page.check('#fan-opt-in');
    await page.check('#fan-over');
    await press(page, '.choice button'); // the address proven just now is not asked for again
    await landed(page);
    assert.match(await page.locator('main, h1').first().innerText(), say.mail);
    await see(page, 'mail');
    assert.deepEqual(await members(id), []);
    await page.goto(await box.link(own, 2, 'fan'));
    await see(page, 'confirm');
    assert.deepEqual(await members(id), [], 'to open the link is not to confirm');
    await press(page, 'main .vote');
    await landed(page);
    assert.match(await page.locator('main').innerText(), say.joined);
    assert.deepEqual(await members(id), [own]);
    await see(page, 'joined');

    // The link, a friend's vote by it, proven too.
    await page.goto(`${joute.url}/c/${id}/e/azur-1`);
    assert.match(await vote(page), say.twice);
    const link = await ways[way](page);
    assert.match(link, new RegExp(`^${joute.url}/s/[0-9a-z]{12}-[wc]$`));
    // On another phone: by the same one, from the same network, it would be the sharer's own.
    const friend = await visit(t, browser, { ...options, viewport: { width: 390, height: 844 }, screen: { width: 390, height: 844 } });
    await friend.goto(link);
    assert.equal(new URL(friend.url()).pathname, `/c/${id}/e/azur-1`);
    assert.match(await vote(friend), say.held);
    const reach = () => joute.call('GET', `/v1/contests/${id}/reach`);
    const azur = (report) => report.schools.find((row) => row.id === 'azur') ?? {};
    await until(reach, (report) => azur(report).visits === 1 && !azur(report).ballots); // a held ballot is nobody's credit
    assert.match(await prove(friend, box, theirs), say.counted);
    await shows(2);
    await until(reach, (report) => azur(report).ballots === 1 && azur(report).proven_voters === 1);

    // What the captain sees.
    const captain = await visit(t, browser, options);
    const { url } = await joute.call('POST', `/v1/contests/${id}/captains`, { body: { school: 'azur' } });
    await captain.goto(`${joute.url}${new URL(url).pathname}?lang=${lang}`);
    assert.deepEqual((await captain.locator('.channels tbody td').allInnerTexts()).slice(0, 2), ['1', '1'], 'one visit, one vote');
    assert.doesNotMatch(await captain.content(), /ada\.|grace\.|example\.org"/);
    await see(captain, 'captain');

    // Out again, by the mail's link, in a browser that knows nobody.
    const clean = await visit(t, browser, options);
    await clean.goto(await box.link(own, 3, 'fan/leave'));
    await see(clean, 'leave');
    assert.deepEqual(await members(id), [own]);
    await press(clean, 'main .vote');
    await landed(clean);
    assert.match(await clean.locator('main').innerText(), say.left);
    assert.deepEqual(await members(id), []);
    assert.equal(await joute.counted(id), 2, 'the vote stays');
    await see(clean, 'left');
    assert.deepEqual(strangers(seen, joute.url), []);
    assert.deepEqual(seen.faults.filter((fault) => !/status of 422/.test(fault)), []);
  });
}

test('the way by keyboard alone', { skip: quick }, async (t) => {
  const id = 'way-keys', own = 'keys@example.org';
  await joute.apply(reviewed(id, community));
  const page = await visit(t, browser, { permissions: ['clipboard-read', 'clipboard-write'] });
  const enter = async (selector) => {
    await tabTo(page, selector);
    await Promise.all([page.waitForNavigation(), page.keyboard.press('Enter')]);
  };
  await page.goto(`${joute.url}/c/${id}/e/azur-1`);
  await enter('.hero .vote');
  await landed(page);
  // From the message on: the way out, no further than two stops.
  await tabTo(page, '.offer a', 2);
  await Promise.all([page.waitForNavigation(), page.keyboard.press('Enter')]);
  await focused(page, 'email');
  await page.keyboard.type('no address');
  await page.evaluate(() => { document.querySelector('main form').noValidate = true; });
  await Promise.all([page.waitForNavigation(), page.keyboard.press('Enter')]);
  await focused(page, 'email');
  const told = await page.evaluate(() => {
    const here = document.activeElement;
    return { id: here.id, invalid: here.getAttribute('aria-invalid'), read: here.getAttribute('aria-describedby').split(' ').map((id) => document.getElementById(id).textContent).join(' ') };
  });
  assert.deepEqual([told.id, told.invalid], ['email', 'true']);
  assert.match(told.read, /adresse/);
  await page.keyboard.press('Control+A');
  await page.keyboard.type(own);
  await Promise.all([page.waitForNavigation(), page.keyboard.press('Enter')]);
  await focused(page, 'code');
  await page.keyboard.type(await box.code(own));
  await Promise.all([page.waitForNavigation(), page.keyboard.press('Enter')]);
  await landed(page);
  assert.equal(await joute.counted(id), 1);

  await tabTo(page, '[data-copied]');
  await page.keyboard.press('Enter');
  await page.getByText('Copié.').waitFor();
  await tabTo(page, '.share summary');
  await page.keyboard.press('Enter');
  await page.waitForSelector('.share .qr', { state: 'visible' });

  await enter('.choice button');
  await focused(page, 'fan-opt-in');
  await page.keyboard.press('Space');
  await tabTo(page, '#fan-over');
  await page.keyboard.press('Space');
  await enter('.choice button');
  await landed(page);
  await page.goto(await box.link(own, 2, 'fan'));
  await enter('main .vote');
  await landed(page);
  await enter('main a[href*="/fan/leave/"]');
  await enter('main .vote');
  await landed(page);
  assert.deepEqual(await members(id), []);
});
