// WCAG 2.2 A and AA as far as axe-core can tell: every page, frame, theme and
// language, on a phone and on a desk. JOUTE_E2E=quick looks at the main pages.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { audit, sticksOut } from '../harness/audit.mjs';
import { desktop, launch, phone, visit, watch } from '../harness/browser.mjs';
import { host as serveHost } from '../harness/host.mjs';
import { start } from '../harness/joute.mjs';
import { languages, pages, themes } from '../harness/pages.mjs';

let joute, host, browser, views;
before(async () => {
  [joute, host, browser] = await Promise.all([start(), serveHost(), launch()]);
  views = await pages(joute, host);
});
after(async () => { await browser?.close(); host?.stop(); joute?.stop(); });

const quick = process.env.JOUTE_E2E === 'quick';
const ways = [];
for (const viewport of [phone, desktop]) for (const theme of themes) for (const lang of languages) ways.push({ viewport, theme, lang });

for (const { viewport, theme, lang } of quick ? [ways[0], ways.at(-1)] : ways) {
  test(`axe-core finds nothing: ${viewport.width} px, ${theme}, ${lang}`, async (t) => {
    const page = await visit(t, browser, { viewport, colorScheme: theme });
    const seen = await watch(page);
    const faults = [];
    for (const view of views.filter((view) => view.quick || !quick)) {
      await view.open(page, lang, theme);
      for (const fault of await audit(page)) faults.push(`${view.name}: ${fault}`);
      const wide = await sticksOut(page);
      if (wide > 0) faults.push(`${view.name}: ${wide} px wider than the screen`);
      for (const fault of seen.faults.splice(0)) if (!/status of 4(00|03|04|10|22)/.test(fault)) faults.push(`${view.name}: ${fault}`);
    }
    assert.deepEqual(faults, []);
  });
}

test('control: faults that axe-core must find, at the top and in a frame', async (t) => {
  const page = await visit(t, browser);
  host.page('/inner', '<button></button>');
  await page.goto(host.page('/outer', `<main><h1>Titre</h1><p style="color:#bbb;background:#fff">pâle</p><div style="width:900px">large</div><iframe title="x" src="${host.other}/inner"></iframe></main>`));
  const found = (await audit(page)).map((fault) => fault.split(':')[0]);
  assert.deepEqual([...new Set(found)].sort(), ['button-name', 'color-contrast']);
  assert.ok(await sticksOut(page) > 0);
});
