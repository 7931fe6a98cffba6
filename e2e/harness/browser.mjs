// Debian's Chromium, and what is watched on every page: requests, content that
// was refused, scripts that ran where none may.
import { chromium } from 'playwright-core';

export const phone = { width: 360, height: 740 };
export const desktop = { width: 1280, height: 800 };

const args = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];
const executablePath = process.env.CHROMIUM || '/usr/bin/chromium';

// launch is a browser; every visitor is a context of it, which keeps no cookie of
// another site's frames, as most people's browsers will not.
export const launch = () => chromium.launch({ executablePath, args });

// A browser that says it is driven is one that screening may ask for a challenge:
// those who play people do not say so.
const agent = (browser) => `Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/${browser.version().split('.')[0]}.0.0.0 Safari/537.36`;

// visit is a page of a new visitor, gone with the test t.
export async function visit(t, browser, options = {}) {
  const context = await browser.newContext({ viewport: phone, locale: 'fr-FR', userAgent: agent(browser), ...options });
  t.after(() => context.close());
  return context.newPage();
}

// watch notes what a page asks for, what it keeps in the browser or tries to,
// and its faults: errors, dialogs, content that its policy refused.
export async function watch(page) {
  const seen = { requests: [], kept: [], faults: [] };
  page.on('request', (request) => seen.requests.push(request));
  page.on('response', async (response) => {
    if ((await response.allHeaders().catch(() => ({})))['set-cookie']) seen.kept.push(`Set-Cookie of ${response.url()}`);
  });
  page.on('dialog', (dialog) => { seen.faults.push(`dialog: ${dialog.message()}`); dialog.dismiss(); });
  page.on('pageerror', (error) => seen.faults.push(`error: ${error.message}`));
  page.on('console', (line) => { if (line.type() === 'error') seen.faults.push(`console: ${line.text()}`); });
  await page.exposeFunction('jouteFault', (what) => { seen.faults.push(what); });
  await page.exposeFunction('jouteKept', (what) => { seen.kept.push(what); });
  await page.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (e) => jouteFault(`refused: ${e.violatedDirective} ${e.blockedURI}`));
    for (const name of ['localStorage', 'sessionStorage', 'indexedDB', 'caches']) {
      const own = Object.getOwnPropertyDescriptor(Window.prototype, name) || Object.getOwnPropertyDescriptor(window, name);
      Object.defineProperty(window, name, { get() { jouteKept(name); return own.get.call(window); } });
    }
    const cookie = Object.getOwnPropertyDescriptor(Document.prototype, 'cookie');
    Object.defineProperty(document, 'cookie', { get: () => cookie.get.call(document), set(text) { jouteKept('cookie'); cookie.set.call(document, text); } });
  });
  return seen;
}

// slowly holds a page's challenge up until it is let go, so that it can be looked at.
export async function slowly(page) {
  await page.addInitScript(() => {
    const post = MessagePort.prototype.postMessage, held = [];
    let free = false;
    MessagePort.prototype.postMessage = function (...what) { if (free) post.apply(this, what); else held.push([this, what]); };
    window.letGo = () => { free = true; for (const [port, what] of held) post.apply(port, what); };
  });
}

// strangers are the requests that went to none of these origins.
export function strangers(seen, ...origins) {
  return seen.requests.map((request) => request.url()).filter((url) => !/^(data|blob|about):/.test(url) && !origins.includes(new URL(url).origin));
}

// focused waits until the focus is on the element with this id. A page takes it there when
// it is drawn, which on a busy machine is after it has loaded.
export const focused = (page, id) => page.waitForFunction((id) => document.activeElement?.id === id, id);

// tabTo moves the focus by keyboard until it is on what the selector names; it is
// seen wherever it is on the way.
export async function tabTo(page, selector, presses = 80) {
  while (presses-- > 0) {
    await page.keyboard.press('Tab');
    const at = await page.evaluate((selector) => {
      const shown = getComputedStyle(document.activeElement);
      return { there: document.activeElement.matches(selector), seen: parseFloat(shown.outlineWidth) >= 2 && shown.outlineStyle !== 'none' };
    }, selector);
    if (!at.seen) throw new Error('the focus is not seen');
    if (at.there) return;
  }
  throw new Error(`the keyboard does not reach ${selector}`);
}

// signIn signs an organizer in.
export async function signIn(page, joute, key) {
  await page.goto(`${joute.url}/organize/login`);
  await page.fill('#key', key);
  await Promise.all([page.waitForURL((url) => url.pathname === '/organize'), page.press('#key', 'Enter')]);
}

// embed is the frame of ours in a host page, loaded.
export async function embed(page) {
  const handle = await page.waitForSelector('iframe');
  const frame = await handle.contentFrame();
  await frame.waitForLoadState();
  return frame;
}
