// An organizer lifts the signature of a known farm, by keyboard alone, with and
// without JavaScript.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { audit, sticksOut } from '../harness/audit.mjs';
import { contest } from '../harness/contests.mjs';
import { launch, signIn, strangers, tabTo, visit, watch } from '../harness/browser.mjs';
import { key, start } from '../harness/joute.mjs';

let joute, browser;
before(async () => { [joute, browser] = await Promise.all([start(), launch()]); });
after(async () => { await browser?.close(); joute?.stop(); });

for (const javaScriptEnabled of [true, false]) {
  test(`JavaScript ${javaScriptEnabled ? 'on' : 'off'}: listed, lifted by keyboard, and said`, async (t) => {
    const id = javaScriptEnabled ? 'farms-on' : 'farms-off', hour = 3_600_000;
    await joute.apply(contest(id));
    joute.knowFarm(id, {
      id: 'c4', entries: ['lumiere-1'], members: 50, features: [{ kind: 'device', value: 'q1w2e3r4t5y6', log_odds: 3 }],
      since: new Date(Date.now() - hour).toISOString(), expires: new Date(Date.now() + hour).toISOString(),
    });
    const page = await visit(t, browser, { javaScriptEnabled });
    const seen = javaScriptEnabled && await watch(page);
    await signIn(page, joute, key);
    await page.goto(`${joute.url}/organize/${id}/held`);
    await Promise.all([page.waitForURL(`**/organize/${id}/farms`), page.getByRole('link', { name: 'Fermes connues' }).click()]);
    const text = await page.locator('main').innerText();
    assert.match(text, /50 votants/);
    assert.match(text, /150 bulletins refusés/);
    assert.doesNotMatch(await page.content(), /q1w2e3r4t5y6/);
    assert.ok(await sticksOut(page) <= 0);
    if (javaScriptEnabled) assert.deepEqual(await audit(page), []);
    await tabTo(page, 'button.good');
    await Promise.all([page.waitForURL(/lifted=c4/), page.keyboard.press('Enter')]);
    assert.match(await page.locator('[role=status]').innerText(), /plus personne/);
    assert.equal(await page.locator('button.good').count(), 0);
    const { farms } = await joute.call('GET', `/v1/contests/${id}/farms`);
    assert.ok(farms[0].lifted_at);
    if (seen) assert.deepEqual([strangers(seen, joute.url), seen.faults], [[], []]);
  });
}
