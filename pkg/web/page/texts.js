// SPDX-License-Identifier: Apache-2.0
// Every text of the pages is in texts.json, so that another table can stand in its place; {0} is what the code puts in.
const texts = await (await fetch("/page/texts.json", { credentials: "omit" })).json();

export function t(key, ...values) {
  const text = texts[key];
  if (text === undefined) throw new Error(`no text '${key}'`);
  return text.replace(/\{(\d)\}/g, (_, i) => String(values[i]));
}
