// node look.mjs FILE.html...: what Chromium and axe say of each page, as JSON.
// CHROMIUM names the browser; NODE_MODULES the folder with playwright-core and
// axe-core; PICTURES, where it is set, the folder for pictures, of which HEIGHT
// pixels are kept.
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, join } from 'node:path';

const require = createRequire(join(process.env.NODE_MODULES, 'look.js'));
const { chromium } = require('playwright-core');
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

function measure() {
  const root = document.documentElement;
  const widest = Math.max(root.scrollWidth, document.body.scrollWidth);
  const small = [...document.querySelectorAll('a')].filter((link) => {
    const box = link.getBoundingClientRect();
    return box.width < 24 || box.height < 24;
  });
  const height = document.body.scrollHeight;
  return { overflow: widest - root.clientWidth, small: small.length, height };
}

// Measured, and not worth a picture.
const NARROWEST = 320;
const WIDTHS = [NARROWEST, 375, 600];

// Playwright writes no WebP, a third of the size; Chromium does.
async function take(page, path, width) {
  const end = () => Math.ceil(document.body.getBoundingClientRect().bottom);
  const whole = await page.evaluate(end);
  const height = Math.min(whole, Number(process.env.HEIGHT) || whole);
  const session = await page.context().newCDPSession(page);
  const { data } = await session.send('Page.captureScreenshot', {
    format: 'webp',
    quality: 82,
    captureBeyondViewport: true,
    clip: { x: 0, y: 0, width, height, scale: 1 },
  });
  writeFileSync(path, Buffer.from(data, 'base64'));
}

async function look(browser, file, colorScheme) {
  const page = await browser.newPage({ colorScheme });
  const remote = [];
  await page.route(/^https?:/, (route) => {
    remote.push(route.request().url());
    return route.abort();
  });
  await page.setContent(readFileSync(file, 'utf8'), { waitUntil: 'load' });
  const widths = [];
  for (const width of WIDTHS) {
    await page.setViewportSize({ width, height: 900 });
    widths.push({ width, ...(await page.evaluate(measure)) });
    if (process.env.PICTURES && width > NARROWEST) {
      const name = `${basename(file, '.html')}-${width}-${colorScheme}.webp`;
      await take(page, join(process.env.PICTURES, name), width);
    }
  }
  await page.evaluate(axe);
  const judged = await page.evaluate(() => window.axe.run(document));
  const grave = judged.violations.filter((v) => ['serious', 'critical'].includes(v.impact));
  await page.close();
  const findings = grave.map((v) => `${v.id}: ${v.nodes[0].html.slice(0, 160)}`);
  const said = { file: basename(file), colorScheme, remote, findings };
  return widths.map((measured) => ({ ...said, ...measured }));
}

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM,
  args: ['--no-sandbox'],
});
const seen = [];
for (const file of process.argv.slice(2)) {
  for (const colorScheme of ['light', 'dark']) {
    seen.push(...(await look(browser, file, colorScheme)));
  }
}
await browser.close();
console.log(JSON.stringify(seen));
