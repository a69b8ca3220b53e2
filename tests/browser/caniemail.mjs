// node caniemail.mjs FILE.html...: the features that some mail clients do not
// show, each with how many of them, over all files, as a JSON list of pairs.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const entry = join(process.env.NODE_MODULES, 'caniemail', 'dist', 'index.js');
const { caniemail } = await import(pathToFileURL(entry).href);
const CLIENTS = ['gmail.*', 'outlook.*', 'apple-mail.*', 'yahoo.*'];

const clients = new Map();
for (const file of process.argv.slice(2)) {
  const { issues } = caniemail({ clients: CLIENTS, html: readFileSync(file, 'utf8') });
  for (const [client, found] of issues.errors) {
    for (const { title } of found) {
      if (!clients.has(title)) clients.set(title, new Set());
      clients.get(title).add(client);
    }
  }
}
const pairs = [...clients].map(([title, names]) => [title, names.size]);
console.log(JSON.stringify(pairs.sort((a, b) => (a[0] < b[0] ? -1 : 1))));
