// node mjml.mjs FILE.mjml.j2...: what strict MJML has against a theme's source,
// as a JSON list. Jinja is taken out: both ways of every branch stay. A hole in
// an attribute that takes few values gets one of those.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const require = createRequire(join(process.env.NODE_MODULES, 'mjml.js'));
const given = require('mjml');
const compile = given.default ?? given;
const USUAL = { align: 'left', direction: 'ltr', dir: 'ltr' };

function bare(source) {
  return source
    .replace(/\{#[^]*?#\}|\{%[^]*?%\}/g, '')
    .replace(/\b(align|direction|dir)="\{\{[^]*?\}\}"/g, (_, name) => `${name}="${USUAL[name]}"`)
    .replace(/\{\{[^]*?\}\}/g, 'x');
}

const faults = [];
for (const file of process.argv.slice(2)) {
  const { errors } = await compile(bare(readFileSync(file, 'utf8')), { validationLevel: 'soft' });
  faults.push(...errors.map((error) => error.formattedMessage));
}
console.log(JSON.stringify(faults));
