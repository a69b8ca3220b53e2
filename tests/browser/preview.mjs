// node preview.mjs ADDRESS: leafs through the preview as a person would, and
// says as JSON what Chromium and axe see. CHROMIUM, NODE_MODULES, PICTURES: as
// for look.mjs.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const require = createRequire(join(process.env.NODE_MODULES, 'preview.js'));
const { chromium } = require('playwright-core');
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

const [address] = process.argv.slice(2);
const home = new URL(address).origin;
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM,
  args: ['--no-sandbox'],
});

async function judged(page) {
  // Evaluated by the debugger, so the page's policy allows it.
  await page.evaluate(axe);
  const found = await page.evaluate(() => window.axe.run(document, { iframes: false }));
  return found.violations
    .filter((v) => ['serious', 'critical'].includes(v.impact))
    .map((v) => `${v.id}: ${v.nodes[0].html.slice(0, 160)}`);
}

async function measured(page, name) {
  if (process.env.PICTURES) {
    await page.screenshot({ path: join(process.env.PICTURES, `${name}.png`), fullPage: true });
  }
  const overflow = await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  );
  return { name, overflow, findings: await judged(page) };
}

// To the end of the page that a click leads to, frame and all.
async function follow(page, name) {
  const link = page.getByRole('link', { name, exact: typeof name === 'string' });
  await Promise.all([page.waitForEvent('load'), link.click()]);
}

async function mailOf(page) {
  const frame = page.frames().find((f) => f.url().includes('/mail?'));
  return frame.evaluate(() => ({
    background: getComputedStyle(document.body).backgroundColor,
    width: window.innerWidth,
    text: document.body.innerText,
    scripts: document.querySelectorAll('script').length,
  }));
}

const seen = { remote: [], errors: [], views: [] };

async function visit(size, colorScheme) {
  const context = await browser.newContext({ viewport: size, colorScheme });
  await context.route((url) => url.origin !== home, (route) => {
    seen.remote.push(route.request().url());
    return route.abort();
  });
  const page = await context.newPage();
  page.on('console', (message) => {
    if (message.type() === 'error') seen.errors.push(message.text());
  });
  await page.goto(address);
  return page;
}

// A person at a desk chooses a reader, a width, a mode, and reads all of it.
const page = await visit({ width: 1280, height: 900 }, 'light');
seen.url = page.url();
seen.first = await page.locator('h2.who').innerText();
await page.getByLabel('Find by address or name').fill('kenji');
await Promise.all([
  page.waitForEvent('load'),
  page.getByLabel('Find by address or name').press('Enter'),
]);
await follow(page, /^kenji@example.org/);
seen.chosen = await page.locator('h2.who').innerText();
seen.views.push(await measured(page, 'desktop-light'));
seen.light = await mailOf(page);
await follow(page, 'Dark');
seen.dark = await mailOf(page);
seen.views.push(await measured(page, 'desktop-mail-dark'));
await follow(page, 'Phone');
seen.phone = await mailOf(page);
seen.views.push(await measured(page, 'desktop-mail-phone'));
await follow(page, 'Text');
seen.text = await page.locator('pre').innerText();
seen.views.push(await measured(page, 'text'));
await follow(page, 'Headers');
seen.headers = await page.locator('dl.headers').innerText();
seen.views.push(await measured(page, 'headers'));
await follow(page, 'Reasons');
seen.reasons = await page.locator('ol.entries').innerText();
seen.views.push(await measured(page, 'reasons'));
await follow(page, 'Left out');
seen.leftOut = await page.locator('section.view').innerText();
seen.views.push(await measured(page, 'left-out'));
await follow(page, 'Source');
seen.views.push(await measured(page, 'source'));
await follow(page, /^(Next slot|Due since)/);
seen.views.push(await measured(page, 'next'));

// By keyboard alone, from the top: the first stop leads to the issue.
await page.keyboard.press('Tab');
seen.firstStop = await page.evaluate(() => document.activeElement.innerText);

// The same on a phone and with a dark system; the frame stays as it is asked.
const phone = await visit({ width: 375, height: 800 }, 'dark');
seen.views.push(await measured(phone, 'phone-dark'));
seen.lightOnDark = await mailOf(phone);
for (const name of ['Headers', 'Reasons', 'Left out']) {
  await follow(phone, name);
  seen.views.push(await measured(phone, `phone-dark-${name}`));
}
const dusk = await visit({ width: 1280, height: 900 }, 'dark');
seen.views.push(await measured(dusk, 'desktop-dark'));

// So far nothing came from anywhere else.
seen.remoteBefore = [...seen.remote];

// A link of the mail opens a tab of its own, without a way back.
const popup = dusk.context().waitForEvent('page');
await dusk.frames().find((f) => f.url().includes('/mail?')).locator('a.ink').first().click();
const opened = await popup;
seen.opener = await opened.evaluate(() => window.opener === null).catch(() => true);
await opened.close();

await dusk.getByRole('button', { name: 'End the preview' }).click();
seen.ended = await dusk.locator('h1').innerText();
await browser.close();
console.log(JSON.stringify(seen));
