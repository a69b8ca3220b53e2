// What the strict validator of npm's mjml says: a JSON list of documents on
// stdin, for each a list of [line, message] on stdout.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

const require = createRequire(`${process.env.NODE_MODULES}/mjml/package.json`);
require("mjml");
const core = require("mjml-core");
const parse = require("mjml-parser-xml");
const validator = require("mjml-validator");

const said = JSON.parse(readFileSync(0, "utf8")).map((text) => {
  const root = parse.default
    ? parse.default(text, { components: core.components, filePath: "." })
    : parse(text, { components: core.components, filePath: "." });
  const found = validator.default(root, {
    components: core.components,
    dependencies: validator.dependencies,
    initializeType: core.initializeType,
  });
  return found.map((one) => [one.line, one.message]);
});
process.stdout.write(JSON.stringify(said));
