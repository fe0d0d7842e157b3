// SPDX-License-Identifier: Apache-2.0
// A font for comparisons: every letter is the same block, and each mark of a state a pattern of its own, so that a picture of text is
// the same on machines with other fonts. Made here, table by table.
const EM = 1000, WIDE = 500, MARK_WIDE = 900;
// Squares of a grid of three by three, from below.
const MARKS = { "\u25cf": "000010000", "\u25b6": "100110100", "\u25d0": "100100100", "\u25a0": "111111111", "\u2715": "101010101", "\u25d4": "000001011", "\u25cb": "111101111" };

const bytes = (...parts) => Buffer.concat(parts.map((one) => (Buffer.isBuffer(one) ? one : Buffer.from(one))));
const u16 = (...all) => { const b = Buffer.alloc(2 * all.length); all.forEach((n, i) => b.writeUInt16BE(n & 0xffff, 2 * i)); return b; };
const u32 = (...all) => { const b = Buffer.alloc(4 * all.length); all.forEach((n, i) => b.writeUInt32BE(n >>> 0, 4 * i)); return b; };
const padded = (b) => bytes(b, Buffer.alloc((4 - (b.length % 4)) % 4));

/** A glyph of rectangles [left, bottom, right, top]. */
function glyph(rectangles) {
  if (rectangles.length === 0) return Buffer.alloc(0);
  const points = rectangles.flatMap(([l, b, r, t]) => [[l, b], [l, t], [r, t], [r, b]]);
  const steps = (k) => points.map((p, i) => p[k] - (i > 0 ? points[i - 1][k] : 0)), all = (k) => points.map((p) => p[k]);
  return padded(bytes(u16(rectangles.length, Math.min(...all(0)), Math.min(...all(1)), Math.max(...all(0)), Math.max(...all(1))),
    u16(...rectangles.map((_, i) => 4 * i + 3)), u16(0), new Uint8Array(points.length).fill(1), u16(...steps(0)), u16(...steps(1))));
}

export function font() {
  const block = glyph([[60, 0, 440, 700]]), codes = [], glyphs = [[block, WIDE], [glyph([]), WIDE], [block, WIDE]];
  const range = (from, to, id) => { for (let c = from; c <= to; c++) codes.push([c, id]); };
  range(0x20, 0x20, 1);
  range(0x21, 0x7e, 2);
  range(0xa0, 0xa0, 1);
  range(0xa1, 0x24f, 2);
  range(0x2010, 0x22ff, 2);
  for (const [mark, squares] of Object.entries(MARKS).sort()) {
    codes.push([mark.codePointAt(0), glyphs.length]);
    glyphs.push([glyph([...squares].flatMap((on, i) => (on === "1" ? [[(i % 3) * 300, Math.floor(i / 3) * 300 - 100, (i % 3) * 300 + 300, Math.floor(i / 3) * 300 + 200]] : []))), MARK_WIDE]);
  }
  let at = 0;
  const places = [0, ...glyphs.map(([one]) => (at += one.length))], text = Buffer.from("Blocks", "utf16le").swap16();
  const names = [1, 2, 3, 4, 6];
  const tables = {
    "OS/2": bytes(u16(3, WIDE, 400, 5, 0, 650, 600, 0, 75, 650, 600, 0, 350, 50, 300, 0), Buffer.alloc(10), u32(1, 0, 0, 0), Buffer.from("HOLD"), u16(0x40, 0x20, 0xffff, 800, -200, 0, 800, 200), u32(1, 0), u16(500, 700, 0, 0x20, 1)),
    cmap: bytes(u16(0, 1, 3, 10), u32(12), u16(12, 0), u32(16 + 12 * codes.length, 0, codes.length), ...codes.sort((a, b) => a[0] - b[0]).map(([c, id]) => u32(c, c, id))),
    glyf: bytes(...glyphs.map(([one]) => one)),
    head: bytes(u16(1, 0, 1, 0), u32(0, 0x5f0f3cf5), u16(3, EM), Buffer.alloc(16), u16(0, -100, MARK_WIDE, 800, 0, 8, 2, 1, 0)),
    hhea: u16(1, 0, 800, -200, 0, MARK_WIDE, 0, 0, MARK_WIDE, 1, 0, 0, 0, 0, 0, 0, 0, glyphs.length),
    hmtx: u16(...glyphs.flatMap(([, wide]) => [wide, 0])),
    loca: u32(...places),
    maxp: u16(1, 0, glyphs.length, 40, 10, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0),
    name: bytes(u16(0, names.length, 6 + 12 * names.length), ...names.map((id) => u16(3, 1, 0x409, id, text.length, 0)), text),
    post: bytes(u32(0x30000), Buffer.alloc(28)),
  };
  const list = Object.entries(tables), sum = (b) => { let n = 0; for (let i = 0; i < b.length; i += 4) n = (n + b.readUInt32BE(i)) >>> 0; return n; };
  let place = 12 + 16 * list.length;
  const folder = list.map(([tag, table]) => { const entry = bytes(Buffer.from(tag), u32(sum(padded(table)), place, table.length)); place += padded(table).length; return entry; });
  const low = 2 ** Math.floor(Math.log2(list.length)) * 16;
  return bytes(u32(0x10000), u16(list.length, low, Math.log2(low / 16), 16 * list.length - low), ...folder, ...list.map(([, table]) => padded(table)));
}
