// SPDX-License-Identifier: Apache-2.0
// How each state looks, in pictures as texts: looks-NAME.txt has the mean colour of each CELL x CELL pixels (red, green, blue, a hex digit
// each). Letters are drawn as blocks (blocks.mjs), so that fonts make no difference, and a colour, a shape or a length does.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { font } from "./blocks.mjs";

const CELL = 6, WIDEST = 38 * CELL, FAR = 2, MOST_OFF = 0.03;
const path = (name) => `${import.meta.dirname}/looks-${name}.txt`;

/** [[key, rows of cells]] of what `find`, a function for the page, says: [[key, [left, top, width, height]]]. */
async function take(other, page, find) {
  await page.evaluate(async (bytes) => {
    if ([...document.fonts].some((one) => one.family === "blocks")) return;
    const blocks = await new FontFace("blocks", new Uint8Array(bytes).buffer).load(), sheet = new CSSStyleSheet();
    document.fonts.add(blocks);
    sheet.replaceSync("* { font-family: blocks !important; transition: none !important; }");
    document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
  }, [...font()]);
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  const places = (await page.evaluate(find)).map(([key, all]) => [key, all.map(Math.floor)]), picture = await page.screenshot({ fullPage: true });
  return other.evaluate(async ([url, all, cell, widest]) => {
    const image = new Image();
    image.src = url;
    await image.decode();
    const to = new OffscreenCanvas(image.naturalWidth, image.naturalHeight).getContext("2d", { willReadFrequently: true });
    to.drawImage(image, 0, 0);
    return all.map(([key, [left, top, width, height]]) => {
      const across = Math.ceil(Math.min(width, widest) / cell), down = Math.ceil(height / cell), sums = new Uint32Array(3 * across * down);
      to.getImageData(left, top, across * cell, down * cell).data.forEach((value, i) => {
        const pixel = i >> 2, x = Math.floor((pixel % (across * cell)) / cell), y = Math.floor(pixel / (across * cell) / cell);
        if (i % 4 < 3) sums[3 * (y * across + x) + (i % 4)] += value;
      });
      const digits = [...sums].map((sum) => Math.round(sum / (cell * cell) / 17).toString(16)).join("");
      return [key, Array.from({ length: down }, (_, y) => digits.slice(3 * across * y, 3 * across * (y + 1)))];
    });
  }, [`data:image/png;base64,${picture.toString("base64")}`, places, CELL, WIDEST]);
}

/** More than one cell is another, and more than MOST_OFF of them: another machine smooths edges otherwise. */
function differ(a, b) {
  if (a === undefined || a.length !== b.length || a.some((row, y) => row.length !== b[y].length)) return true;
  const [one, two] = [a.join(""), b.join("")], far = (i) => Math.abs(parseInt(one[i], 16) - parseInt(two[i], 16)) > FAR;
  let off = 0;
  for (let i = 0; i < one.length; i += 3) if ([i, i + 1, i + 2].some(far)) off++;
  return off > 1 && off > MOST_OFF * (one.length / 3);
}

/** Looks of several pages, and then end(): they are what the file has, all of it; PAGE_SCREENS=write writes it. */
export async function album(browser, name) {
  const draw = await (await browser.newContext()).newPage();
  const known = new Map(), seen = new Map();
  for (const part of existsSync(path(name)) ? readFileSync(path(name), "utf8").split("\n\n") : []) {
    const [key, ...rows] = part.trim().split("\n");
    known.set(key, rows);
  }
  const write = process.env.PAGE_SCREENS === "write";
  const off = (looks, from) => looks.filter(([key, rows]) => differ(from.get(key), rows)).map(([key]) => key);
  return {
    async look(page, find) {
      const looks = await take(draw, page, find);
      for (const [key, rows] of looks) {
        if (seen.has(key)) throw new Error(`two look as ${key}`);
        seen.set(key, rows);
      }
      const wrong = write ? [] : off(looks, known);
      if (wrong.length > 0) throw new Error(`do not look as in ${path(name)}: ${wrong.join(", ")}; when that is meant: hack/screens`);
    },
    /** After `change`, a function for the page, just those whose keys fit `pattern` look different. */
    async mutant(page, find, change, pattern) {
      await page.evaluate(change);
      const looks = await take(draw, page, find), other = off(looks, seen), want = looks.map(([key]) => key).filter((key) => pattern.test(key));
      if (want.length === 0 || other.join() !== want.join()) throw new Error(`a change of ${pattern} changes ${other.join(", ")}, not ${want.join(", ")}`);
    },
    end() {
      if (write) writeFileSync(path(name), `${[...seen].map(([key, rows]) => [key, ...rows].join("\n")).join("\n\n")}\n`);
      const gone = write ? [] : [...known.keys()].filter((key) => !seen.has(key));
      if (gone.length > 0) throw new Error(`not seen: ${gone.join(", ")}`);
      console.log(`        ${seen.size} looks`);
    },
  };
}
