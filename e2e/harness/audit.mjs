// axe-core in every frame of a page: a run at the top does not see into frames
// of another site.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];

// A row that slides to its place covers others on its way.
const still = () => document.getAnimations().every((a) => a.playState !== 'running' || a.effect?.getTiming().iterations === Infinity);

// audit answers the violations, one line each, once nothing moves any more.
export async function audit(page) {
  const found = [];
  for (const frame of page.frames()) {
    await frame.waitForFunction(still);
    await frame.evaluate(axe);
    const { violations } = await frame.evaluate((tags) => window.axe.run({ runOnly: tags, iframes: false }), tags);
    for (const { id, nodes } of violations) {
      for (const node of nodes) found.push(`${id}: ${node.html.slice(0, 160)} ${node.any[0]?.message ?? node.failureSummary}`);
    }
  }
  return found;
}

// sticksOut is by how many pixels a page is wider than the screen.
export const sticksOut = (page) => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
