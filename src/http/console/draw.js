// Making elements. Text is always text: nothing that comes from data is ever read as markup.

const SVG = "http://www.w3.org/2000/svg";

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "class") element.setAttribute("class", value);
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name.startsWith("--")) element.style.setProperty(name, value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

export const h = (name, attributes = {}, ...children) =>
  fill(document.createElement(name), attributes, children);

export const s = (name, attributes = {}, ...children) =>
  fill(document.createElementNS(SVG, name), attributes, children);

/** Text out of data, which may run in another direction than the page. */
export const data = (text, attributes = {}) => h("bdi", { dir: "auto", ...attributes }, String(text));

/** Sets a text only where it changed, so that a screen reader is not told the same again. */
export function put(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** A line of values as the points of a polyline in a box of 100 × 30. */
export function sparkline(values) {
  const top = Math.max(...values, 1);
  const step = 100 / Math.max(values.length - 1, 1);
  return values.map((value, i) => `${(i * step).toFixed(1)},${(29 - (27 * value) / top).toFixed(1)}`);
}

export const byId = (id) => document.getElementById(id);
export const calm = matchMedia("(prefers-reduced-motion: reduce)");
