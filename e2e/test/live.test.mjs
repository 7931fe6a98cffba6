// A vote moves the ranking on somebody else's screen.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { contest } from '../harness/contests.mjs';
import { launch, visit } from '../harness/browser.mjs';
import { start } from '../harness/joute.mjs';

let joute, browser;
before(async () => { [joute, browser] = await Promise.all([start(), launch()]); });
after(async () => { await browser?.close(); joute?.stop(); });

// feeds says whether this Joute sends its numbers, or pages have to ask for them.
async function feeds(id) {
  const stop = new AbortController();
  const answer = await fetch(`${joute.url.replace('localhost', '127.0.0.1')}/v1/contests/${id}/feed`, { signal: stop.signal });
  stop.abort();
  return answer.ok;
}

test('a vote moves the ranking on another screen: within a second where there is a feed, four where there is none', async (t) => {
  await joute.apply(contest('moves'));
  await joute.cast('moves', 'lumiere-1');
  const page = await visit(t, browser);
  await page.goto(`${joute.url}/c/moves`);
  const first = () => page.locator('[data-rows=entries] > li').first().getAttribute('data-id');
  assert.equal(await first(), 'lumiere-1');
  const within = await feeds('moves') ? 1000 : 4000;
  await joute.cast('moves', 'azur-1');
  const from = Date.now();
  await joute.cast('moves', 'azur-1');
  await page.waitForFunction(() => document.querySelector('[data-rows=entries] > li').dataset.id === 'azur-1', null, { polling: 20 });
  const took = Date.now() - from;
  t.diagnostic(`moved after ${took} ms, allowed ${within}`);
  assert.ok(took <= within, `moved after ${took} ms`);
});
