// How soon there is something to see on a slow phone: reported, not judged, as a
// shared machine says little about a phone.
import { after, before, test } from 'node:test';
import { contest, crowd } from '../harness/contests.mjs';
import { launch, visit } from '../harness/browser.mjs';
import { host as serveHost, voteTag } from '../harness/host.mjs';
import { start } from '../harness/joute.mjs';

let joute, host, browser;
before(async () => {
  [joute, host, browser] = await Promise.all([start(), serveHost(), launch()]);
  await joute.apply(contest('speed', { embed: { origins: [host.url] } }));
  await crowd(joute, 'speed');
});
after(async () => { await browser?.close(); host?.stop(); joute?.stop(); });

// slow is a processor a quarter as fast, 1.6 Mbit/s and 150 ms to the server.
async function slow(page) {
  const session = await page.context().newCDPSession(page);
  await session.send('Emulation.setCPUThrottlingRate', { rate: 4 });
  await session.send('Network.enable');
  await session.send('Network.emulateNetworkConditions', { offline: false, latency: 150, downloadThroughput: 200_000, uploadThroughput: 94_000 });
}

for (const [name, address] of [
  ['the contest page', async () => `${joute.url}/c/speed`],
  ['a host page with the vote', async () => host.page('/speed', `<h1>Mon blog</h1>${await voteTag(joute, 'speed', 'azur-1')}`)],
]) {
  test(`first paint and largest paint of ${name}, 4x slower`, async (t) => {
    const page = await visit(t, browser);
    await slow(page);
    await page.addInitScript(() => {
      window.paints = {};
      new PerformanceObserver((list) => { for (const e of list.getEntries()) window.paints[e.name] = Math.round(e.startTime); }).observe({ type: 'paint', buffered: true });
      new PerformanceObserver((list) => { for (const e of list.getEntries()) window.paints.largest = Math.round(e.startTime); }).observe({ type: 'largest-contentful-paint', buffered: true });
    });
    await page.goto(await address(), { waitUntil: 'load' });
    await page.waitForFunction(() => window.paints.largest > 0);
    await page.waitForTimeout(500);
    const frame = page.frames()[1];
    const inside = frame && await frame.evaluate(() => Math.round(performance.getEntriesByName('first-contentful-paint')[0]?.startTime));
    t.diagnostic(`${JSON.stringify(await page.evaluate(() => window.paints))}${frame ? `, inside the frame ${inside}` : ''} ms`);
  });
}
