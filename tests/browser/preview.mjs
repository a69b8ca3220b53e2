// node preview.mjs ADDRESS FOLDER: leafs through the preview of the project in
// FOLDER as a person would, edits its files, and says as JSON what Chromium and
// axe see. CHROMIUM, NODE_MODULES, PICTURES: as
// for look.mjs.
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const require = createRequire(join(process.env.NODE_MODULES, 'preview.js'));
const { chromium } = require('playwright-core');
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

const [address, folder] = process.argv.slice(2);
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
// The list follows what is typed, and says how many there are; Enter works too.
const box = page.getByLabel('Find by address, name or id');
await box.pressSequentially('kenj');
await page.waitForFunction(() => document.querySelectorAll('#found li').length === 1);
seen.typed = await page.locator('#found').innerText();
seen.foundSaid = await page.locator('#found-said').innerText();
await box.press('i');
await Promise.all([page.waitForEvent('load'), box.press('Enter')]);
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

await follow(page, 'Now');
await follow(page, /^Checks/);
seen.checks = await page.locator('section.view').innerText();
seen.views.push(await measured(page, 'checks'));

// A profile is tried: a mistake first, then an entry appears, with its reason.
async function attempt(on, fields) {
  for (const [label, value] of Object.entries(fields)) {
    await on.getByLabel(label, { exact: true }).fill(value);
  }
  await Promise.all([
    on.waitForEvent('load'),
    on.getByRole('button', { name: 'Try it' }).click(),
  ]);
}
await follow(page, 'Profile');
seen.views.push(await measured(page, 'profile'));
await attempt(page, { 'Query 1': 'robot* AND' });
seen.mistake = await page.locator('#row-1-wrong').innerText();
seen.described = await page.getByLabel('Query 1').getAttribute('aria-describedby');
seen.views.push(await measured(page, 'profile-mistake'));
await attempt(page, { 'Query 1': 'gardening OR robot*', 'Mutes, one query a line': 'fold' });
seen.appeared = await page.locator('ol.appeared').innerText();
seen.gone = await page.locator('ol.gone').innerText();
seen.toml = await page.locator('#toml').innerText();
seen.views.push(await measured(page, 'profile-tried'));
await follow(page, 'Mail');
seen.triedMail = (await mailOf(page)).text;
await follow(page, "Back to the reader's own");
seen.ownMail = (await mailOf(page)).text;

// What is saved shows by itself: a template, then a mistake, then its cure.
async function saved(on, file, change) {
  const path = join(folder, file);
  const before = readFileSync(path, 'utf8');
  await Promise.all([on.waitForEvent('load'), writeFileSync(path, change(before))]);
  await on.waitForLoadState('networkidle').catch(() => {});
  return before;
}
const listening = () => page.waitForResponse((r) => r.url().includes('/events?'));
let ear = listening();
await page.reload();
await ear;
ear = listening();
await saved(page, 'templates/default/body.mjml.j2', (t) => t.replace('The receipt', 'All that was weighed'));
seen.reloaded = (await mailOf(page)).text;
await ear;
ear = listening();
const readers = await saved(page, 'config/subscribers.toml', (t) => `nonsense\n${t}`);
seen.broken = await page.locator('main').innerText();
seen.views.push(await measured(page, 'broken'));
await ear;
seen.errors = seen.errors.filter((text) => !text.includes('409'));
await saved(page, 'config/subscribers.toml', () => readers);
seen.mended = await page.locator('h2.who').innerText();

// Sent to the editor; what became of it is said on the page.
await Promise.all([
  page.waitForEvent('load'),
  page.getByRole('button', { name: /^Send to/ }).click(),
]);
seen.sent = await page.locator('.told').innerText();
await follow(page, 'Off');
seen.views.push(await measured(page, 'sent-images-off'));

// Past issues, by Older and Newer.
await follow(page, '‹ Older');
seen.older = await page.locator('.issues').innerText();
seen.views.push(await measured(page, 'older'));
await follow(page, 'Newer ›');

// By keyboard alone, from the top: the first stop leads to the issue.
await page.keyboard.press('Tab');
seen.firstStop = await page.evaluate(() => document.activeElement.innerText);

// The same on a phone and with a dark system; the frame stays as it is asked.
const phone = await visit({ width: 375, height: 800 }, 'dark');
seen.views.push(await measured(phone, 'phone-dark'));
seen.lightOnDark = await mailOf(phone);
for (const name of ['Text', 'Headers', 'Checks', 'Reasons', 'Left out', 'Source', 'Profile']) {
  await follow(phone, name);
  seen.views.push(await measured(phone, `phone-dark-${name}`));
}
await attempt(phone, { 'Query 1': '(robot' });
seen.views.push(await measured(phone, 'phone-dark-mistake'));
await attempt(phone, { 'Query 1': 'gardening' });
seen.views.push(await measured(phone, 'phone-dark-tried'));
const dusk = await visit({ width: 1280, height: 900 }, 'dark');
seen.views.push(await measured(dusk, 'desktop-dark'));
for (const name of ['Checks', 'Profile']) {
  await follow(dusk, name);
  seen.views.push(await measured(dusk, `desktop-dark-${name}`));
}
await attempt(dusk, { 'Query 1': 'gardening' });
seen.views.push(await measured(dusk, 'desktop-dark-tried'));
await follow(dusk, 'Mail');

// Without script all of it works but being told of edits.
const bare = await browser.newContext({ javaScriptEnabled: false });
const plain = await bare.newPage();
await plain.goto(address);
await plain.getByLabel('Find by address, name or id').fill('ada');
await Promise.all([
  plain.waitForEvent('load'),
  plain.getByRole('button', { name: 'Find' }).click(),
]);
seen.bareFound = await plain.locator('#found').innerText();
await follow(plain, 'Profile');
await attempt(plain, { 'Query 1': 'gardening' });
seen.bareTried = await plain.locator('ol.appeared').innerText();

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
// The others say that nobody answers, and go on asking.
await page.waitForFunction(() => document.getElementById('live').textContent !== '');
seen.alone = await page.locator('#live').innerText();
seen.errors = seen.errors.filter((text) => !text.includes('ERR_CONNECTION_REFUSED'));
await browser.close();
console.log(JSON.stringify(seen));
