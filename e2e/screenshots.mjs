// Every page, theme, language and size into ../screenshots/.
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { desktop, launch, phone } from './harness/browser.mjs';
import { host as serveHost } from './harness/host.mjs';
import { start } from './harness/joute.mjs';
import { mailbox } from './harness/mail.mjs';
import { languages, pages, themes } from './harness/pages.mjs';

const folder = fileURLToPath(new URL('../screenshots/', import.meta.url));
mkdirSync(folder, { recursive: true });
const [box, host, browser] = await Promise.all([mailbox(), serveHost(), launch()]);
const joute = await start({ smtp: box.smtp });
try {
  const views = await pages(joute, host, box);
  for (const [size, viewport] of Object.entries({ phone, desktop })) {
    for (const colorScheme of themes) {
      for (const lang of languages) {
        const page = await (await browser.newContext({ viewport, colorScheme, reducedMotion: 'reduce' })).newPage();
        for (const view of views) {
          await view.open(page, lang, colorScheme);
          await page.screenshot({ path: `${folder}${view.name}-${size}-${colorScheme}-${lang}.png`, fullPage: size === 'phone' });
        }
        await page.context().close();
      }
    }
  }
  console.log(`${views.length * 8} pictures in screenshots/`);
} finally {
  await browser.close();
  host.stop();
  joute.stop();
  box.stop();
}
