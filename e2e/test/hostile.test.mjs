// Texts that strangers chose: markup, bidi marks, emoji up to the limits of a
// document. They are text wherever they are shown, and break no layout.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { sticksOut } from '../harness/audit.mjs';
import { contest } from '../harness/contests.mjs';
import { desktop, embed, launch, phone, visit, watch } from '../harness/browser.mjs';
import { boardTag, host as serveHost, voteTag } from '../harness/host.mjs';
import { start } from '../harness/joute.mjs';

let joute, host, browser;
before(async () => { [joute, host, browser] = await Promise.all([start(), serveHost(), launch()]); });
after(async () => { await browser?.close(); host?.stop(); joute?.stop(); });

const texts = {
  script: '<script>window.ran=1;alert(1)</script>',
  image: '"><img src=x onerror="window.ran=1;alert(1)">',
  attribute: '\' onfocus=window.ran=1 autofocus tabindex=1 style=position:fixed;inset:0 x="',
  closing: '</title></style></textarea></script><svg onload=window.ran=1>',
  template: '{{.Pass}} ${window.ran=1} {{constructor.constructor("window.ran=1")()}}',
  entity: '&lt;b&gt; &amp;amp; &#x202e; %3Cscript%3E',
  bidi: '\u200f\u061cمسابقة الفيديو\u200e abc \u200fעברית\u200f 2026', // marks; overrides and isolates a document refuses
  emoji: '👩‍👩‍👧‍👦'.repeat(29),
  flags: '🇫🇷'.repeat(100),
  word: 'W'.repeat(200),
  marks: `Z${'\u0301'.repeat(199)}`,
};

// The limits of a document, in code points.
const cut = (text, most) => Array.from(text).slice(0, most).join('');
const title = (text) => cut(text, 200), named = (text) => cut(text, 120), short = (text) => cut(text, 80);

for (const [name, text] of Object.entries(texts)) {
  test(`shown as text: ${name}`, async (t) => {
    const schools = [{ id: 'a', name: named(text), city: short(text), students: 100 }, { id: 'b', name: 'École', students: 100 }];
    const entries = [{ id: 'a-1', school: 'a', title: title(text), authors: [short(text)], video: 'https://vimeo.com/100000001' }, { id: 'b-1', school: 'b', title: 'Calme' }];
    await joute.apply(contest(`hostile-${name}`, { title: title(text), brand: named(text), schools, entries, embed: { origins: [host.url] } }));
    const { receipt } = await joute.cast(`hostile-${name}`, 'a-1');
    const id = `hostile-${name}`;
    const views = [
      ...['/', `/c/${id}`, `/c/${id}/e/a-1`, `/c/${id}/s/a`, `/c/${id}/embed`, `/c/${id}/e/a-1/confirm`, `/r/${receipt}`].map((path) => joute.url + path),
      host.page(`/${id}-vote`, await voteTag(joute, id, 'a-1')), host.page(`/${id}-board`, await boardTag(joute, id)),
    ];
    for (const viewport of [phone, desktop]) {
      const page = await visit(t, browser, { viewport });
      const seen = await watch(page);
      for (const view of views) {
        await page.goto(view);
        const shown = view.startsWith(joute.url) ? page.mainFrame() : await embed(page);
        await shown.waitForFunction((text) => document.documentElement.textContent.includes(text), named(text));
        for (const frame of page.frames()) assert.equal(await frame.evaluate(() => window.ran), undefined, view);
        assert.deepEqual(seen.faults, [], view);
        assert.equal(await sticksOut(page), 0, `${view} is wider than ${viewport.width} px`);
        assert.equal(await sticksOut(shown), 0, `the frame of ${view} is wider than its place`);
      }
    }
  });
}

test('control: a page that believes its texts runs them and is seen to', async (t) => {
  const page = await visit(t, browser);
  const seen = await watch(page);
  await page.goto(host.page('/naive', `<h1>${texts.image}</h1><p>${texts.word}</p>`));
  await page.waitForFunction(() => window.ran === 1);
  assert.ok(seen.faults.some((fault) => fault.startsWith('dialog')));
  assert.ok(await sticksOut(page) > 0);
});
