// Every page, theme, language and size into ../screenshots/; or, named as
// arguments, a part of them: phone dark, desktop en.
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { desktop, launch, phone } from './harness/browser.mjs';
import { host as serveHost } from './harness/host.mjs';
import { start } from './harness/joute.mjs';
import { mailbox } from './harness/mail.mjs';
import { languages, pages, themes } from './harness/pages.mjs';

const folder = fileURLToPath(new URL('../screenshots/', import.meta.url));
mkdirSync(folder, { recursive: true });
const sizes = { phone, desktop }, parts = process.argv.slice(2);
const every = [Object.keys(sizes), themes, languages];
const unknown = parts.find((part) => !every.flat().includes(part));
if (unknown) throw new Error(`${unknown}: a part is one of ${every.flat().join(', ')}`);
const [sized, themed, spoken] = every.map((all) => (all.some((one) => parts.includes(one)) ? all.filter((one) => parts.includes(one)) : all));
const [box, host, browser] = await Promise.all([mailbox(), serveHost(), launch()]);
const joute = await start({ smtp: box.smtp });
try {
  const views = await pages(joute, host, box);
  for (const size of sized) {
    for (const colorScheme of themed) {
      for (const lang of spoken) {
        const page = await (await browser.newContext({ viewport: sizes[size], colorScheme, reducedMotion: 'reduce' })).newPage();
        for (const view of views) {
          await view.open(page, lang, colorScheme);
          await page.screenshot({ path: `${folder}${view.name}-${size}-${colorScheme}-${lang}.png`, fullPage: size === 'phone' });
        }
        await page.context().close();
      }
    }
  }
  console.log(`${views.length * sized.length * themed.length * spoken.length} pictures in screenshots/`);
} finally {
  await browser.close();
  host.stop();
  joute.stop();
  box.stop();
}
