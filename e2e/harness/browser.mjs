// Debian's Chromium, with cookies of other sites blocked, and what is watched on
// every page: requests, refused content, scripts that ran where none may.
import { mkdtempSync, rmSync, mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

export const phone = { width: 360, height: 740 };
export const desktop = { width: 1280, height: 800 };

const args = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];
const executablePath = process.env.CHROMIUM || '/usr/bin/chromium';

// launch is a browser whose pages are opened in contexts of their own.
export function launch() { return chromium.launch({ executablePath, args }); }

// visitor is a browser with a profile of its own that blocks the cookies of
// other sites, as most people's will.
export async function visitor(options = {}) {
  const dir = mkdtempSync(join(tmpdir(), 'joute-profile-'));
  mkdirSync(join(dir, 'Default'));
  writeFileSync(join(dir, 'Default', 'Preferences'), JSON.stringify({ profile: { cookie_controls_mode: 1, block_third_party_cookies: true } }));
  const context = await chromium.launchPersistentContext(dir, { executablePath, args, viewport: phone, locale: 'fr-FR', ...options });
  context.once('close', () => rmSync(dir, { recursive: true, force: true, maxRetries: 5 }));
  return context;
}

// watch notes everything a page does that no page of ours may do.
export async function watch(page) {
  const seen = { requests: [], faults: [] };
  page.on('request', (request) => seen.requests.push(request));
  page.on('dialog', (dialog) => { seen.faults.push(`dialog: ${dialog.message()}`); dialog.dismiss(); });
  page.on('pageerror', (error) => seen.faults.push(`error: ${error.message}`));
  page.on('console', (line) => { if (line.type() === 'error') seen.faults.push(`console: ${line.text()}`); });
  await page.exposeFunction('jouteRefused', (what) => { seen.faults.push(`refused: ${what}`); });
  await page.addInitScript(() => document.addEventListener('securitypolicyviolation', (e) => jouteRefused(`${e.violatedDirective} ${e.blockedURI} ${e.sample}`)));
  return seen;
}

// strangers are the requests that went to none of these origins.
export function strangers(seen, ...origins) {
  return seen.requests.map((request) => request.url()).filter((url) => !/^(data|blob|about):/.test(url) && !origins.includes(new URL(url).origin));
}

// embed is the frame of ours in a host page, loaded.
export async function embed(page) {
  const handle = await page.waitForSelector('iframe');
  const frame = await handle.contentFrame();
  await frame.waitForLoadState();
  return frame;
}
