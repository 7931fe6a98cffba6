// What voters do on our pages, with JavaScript and without, and what has to be so
// after each press.
import assert from 'node:assert/strict';
import { focused } from './browser.mjs';

// community is an opt-in to lay over a contest.
export const community = {
  community: {
    name: 'Tremplin', under_15: 'parent', show_fans: true,
    opt_in: { fr: 'Je rejoins la communauté Tremplin et je reçois ses nouvelles.', en: 'I join the Tremplin community and get its news.' },
  },
};

// until waits for what is neither in a page nor told: look answers it, ready says
// when it is as wanted.
export async function until(look, ready) {
  for (const end = Date.now() + 10_000; ;) {
    const found = await look();
    if (ready(found)) return found;
    if (Date.now() > end) assert.fail(JSON.stringify(found));
    await new Promise((resolve) => { setTimeout(resolve, 50); });
  }
}

// press presses what leads to another page, and waits for that one.
export async function press(page, what) {
  const to = typeof what === 'string' ? page.locator(what) : what;
  await Promise.all([page.waitForNavigation(), to.click()]);
}

// voted presses a vote, and holds the page that comes to say what became of it.
export async function voted(page, what) {
  await press(page, what);
  const other = await page.evaluate(() => !document.querySelector('#status > .status') && document.querySelector('h1').innerText);
  assert.ok(!other, `no vote, but: ${other}`);
}

// landed holds a page to say first what became of a press: there is the focus, and
// it is in sight.
export async function landed(page) {
  await focused(page, 'status');
  const { hash, top, bottom } = await page.evaluate(() => {
    const box = document.getElementById('status').getBoundingClientRect();
    return { hash: location.hash, top: box.top, bottom: innerHeight - 60 };
  });
  assert.equal(hash, '#status');
  assert.ok(top >= 0 && top < bottom, `#status is at ${top} px`);
}

// vote votes on the page of an entry, and answers what the page says.
export async function vote(page) {
  await press(page, '.hero .vote');
  await landed(page);
  return page.locator('#status').innerText();
}

// askCode asks for a code on the page that takes an address.
export async function askCode(page, address) {
  await page.fill('#email', address);
  await press(page, 'main .vote');
}

// giveCode types the code that came by the nth mail.
export async function giveCode(page, box, address, n = 1) {
  await page.fill('#code', await box.code(address, n));
  await press(page, 'main .vote');
}

// prove proves an address from what is offered after a vote.
export async function prove(page, box, address, n = 1) {
  await press(page, '.offer a');
  await askCode(page, address);
  await giveCode(page, box, address, n);
  await landed(page);
  return page.locator('#status').innerText();
}

// inOrder holds the parts of a page to stand one under the other, and only they.
export async function inOrder(page, ...parts) {
  const shown = await page.locator('main .status, main .card:visible').evaluateAll((all) => all
    .map((e) => [e.getBoundingClientRect().top, e.classList.contains('status') ? 'status' : e.classList[1]])
    .sort(([a], [b]) => a - b).map(([, name]) => name));
  assert.deepEqual(shown, parts);
}

// filled are the buttons of what is offered that say: do this next.
export const filled = (page) => page.locator('.after .vote:visible').evaluateAll((all) => all
  .filter((e) => getComputedStyle(e).backgroundColor !== 'rgba(0, 0, 0, 0)').map((e) => e.innerText));
