// SPDX-License-Identifier: Apache-2.0
// Elements from data. Whatever comes from an object or a node goes through plain() or own() and stays text: nothing here
// parses markup.

const LONGEST = 4000;
// Control characters, and those that turn the direction of text or have no width.
const UNSEEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g;

/** A text of somebody else: without what a reader cannot see, and not longer than a person reads. */
export function plain(text) {
  const whole = text === undefined || text === null ? "" : String(text);
  const cut = whole.length > LONGEST ? `${whole.slice(0, LONGEST).replace(/[\ud800-\udbff]$/, "")}\u2026` : whole;
  return cut.replace(UNSEEN, "\ufffd");
}

/** h("p", {class: "soft"}, "text", element, [elements]): null and false are left out. */
export function h(name, attributes, ...children) {
  return fill(document.createElement(name), attributes, children);
}

export function svg(name, attributes, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);
}

function fill(element, attributes, children) {
  for (const [key, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) throw new Error(`no inline handlers: ${key}`);
    element.setAttribute(key, value === true ? "" : String(value));
  }
  for (const child of children.flat(Infinity))
    if (child !== null && child !== undefined && child !== false) element.append(child);
  return element;
}

/** Somebody else's text as an element that keeps its direction to itself. */
export const own = (text) => h("bdi", null, plain(text));

/** Makes `old` like `fresh`, and keeps every element that is the same: focus, selection and open details stay. */
export function morph(old, fresh) {
  if (old.nodeType !== fresh.nodeType || old.nodeName !== fresh.nodeName) {
    old.replaceWith(fresh);
    return;
  }
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.data !== fresh.data) old.data = fresh.data;
    return;
  }
  for (const { name } of [...old.attributes])
    if (!fresh.hasAttribute(name) && name !== "open") old.removeAttribute(name);
  for (const { name, value } of fresh.attributes)
    if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  morphAll(old, [...fresh.childNodes]);
}

export function morphAll(parent, fresh) {
  const before = [...parent.childNodes];
  fresh.forEach((child, i) => {
    if (i < before.length) morph(before[i], child);
    else parent.append(child);
  });
  before.slice(fresh.length).forEach((child) => child.remove());
}
