// Spikes of pain: what is open, since when, how much more than usual, and why.

import { byId, data, h, put, s } from "./draw.js";
import { count, decimal, say, when } from "./words.js";

const REASONS_MAX = 4;
const CLOSED_MAX = 2;

function keyOf(key) {
  const parts = Object.entries(key ?? {}).filter(([, value]) => value !== null && value !== "");
  if (!parts.length) return say("everywhere");
  return parts.map(([, value]) => String(value).replaceAll("_", " ")).join(" · ");
}

function bars(counts) {
  const rows = Object.entries(counts ?? {}).sort((one, other) => other[1] - one[1]).slice(0, REASONS_MAX);
  const top = rows[0]?.[1] ?? 1;
  return rows.map(([reason, n]) => h("li", {},
    data(reason.replaceAll("_", " ")),
    h("span", { class: "bar-line", "aria-hidden": "true" }, h("i", { "--part": `${(100 * n) / top}%` })),
    h("span", {}, count(n))));
}

function card(spike) {
  const closed = spike.state === "closed";
  const fact = (word, value) => [h("dt", {}, say(word)), h("dd", {}, value)];
  const ratio = Number(spike.ratio);
  return h("article", { class: closed ? "spike closed" : "spike" },
    h("h3", {},
      data(keyOf(spike.key)),
      h("span", { class: "ratio" }, closed ? say("is_over") : Number.isFinite(ratio) ? `× ${decimal(ratio)}` : "")),
    h("dl", {},
      ...(spike.numerator && spike.numerator !== "pain" ? fact("numerator", data(spike.numerator)) : []),
      ...fact("onset", when(spike.onset)),
      ...(closed && spike.closed_at ? fact("closed", when(spike.closed_at)) : []),
      ...fact("seen", say("seen_of_usual", { seen: count(Math.round(spike.observed ?? 0)), usual: decimal(spike.expected ?? 0) })),
      ...fact("people", count(spike.customers ?? 0))),
    h("ul", { class: "bars" }, ...bars(spike.reasons)));
}

function quiet(words) {
  return h("div", { class: "calm" },
    s("svg", { viewBox: "0 0 176 40", "aria-hidden": "true" }, s("path", { d: "M4 24c14 0 14-8 28-8s14 10 28 10 14-9 28-9 14 8 28 8 14-7 28-7 14 5 28 5" })),
    h("p", {}, words));
}

export function show(summary) {
  const box = byId("spikes");
  const open = summary.spikes.filter(({ state }) => state !== "closed");
  const closed = summary.spikes.filter(({ state }) => state === "closed").slice(0, CLOSED_MAX);
  put(byId("spikes-note"), open.length ? say("spikes_open", { count: count(open.length) }) : "");
  const cards = [...open, ...closed].map(card);
  box.replaceChildren(...(open.length ? [] : [quiet(say("no_spike"))]), ...cards);
}

