// SPDX-License-Identifier: Apache-2.0
// axe-core over pages of `make site`, in both themes and as a phone has them; site.py builds them and starts this. Ends with the usual line.
import { readFileSync } from "node:fs";

const { PAGE_BROWSER, PAGE_MODULES, SITE } = process.env;
const PAGES = ["index", "docs/tutorials/first-node", "docs/how-to/rollouts", "docs/reference/fields"];
const { chromium } = await import(`${PAGE_MODULES}/playwright-core/index.mjs`);
const AXE = readFileSync(`${PAGE_MODULES}/axe-core/axe.min.js`, "utf8");
const browser = await chromium.launch({ executablePath: PAGE_BROWSER, args: ["--no-sandbox"] });
let passed = 0, failed = 0;

for (const [theme, width] of [["light", 1280], ["dark", 1280], ["light", 360]]) {
  const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme: theme, reducedMotion: "reduce" });
  for (const name of PAGES) {
    const page = await context.newPage();
    page.setDefaultTimeout(120000);
    await page.goto(`file://${SITE}/${name}.html`);
    await page.evaluate(AXE);
    const found = (await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }))).violations
      .map((one) => `${one.id}: ${one.nodes.length} times: ${one.nodes.slice(0, 3).map((node) => node.html.slice(0, 200)).join(" ")}`);
    const dark = await page.evaluate(() => document.body.getAttribute("data-md-color-scheme") === "slate");
    if (dark !== (theme === "dark")) found.push(`the theme is ${dark ? "dark" : "light"}`);
    await page.close();
    console.log(`  ${found.length > 0 ? "FAIL" : "ok  "}  ${name}, ${theme}, ${width} px${found.length > 0 ? `: ${found.join("; ")}` : ""}`);
    if (found.length > 0) failed += 1; else passed += 1;
  }
  await context.close();
}
await browser.close();
console.log(`${passed} passed, ${failed} failed, 0 skipped`);
process.exit(failed > 0 ? 1 : 0);
