// Pain by touchpoint and stage: a table that is also a picture.

import { byId, data, h, put } from "./draw.js";
import { count, name, say, when } from "./words.js";

const STAGES = ["awareness", "consideration", "purchase", "loyalty", "advocacy"];
const ROWS_MAX = 9;

/** Gathers places into touchpoints, the most painful first. */
function touchpoints(pain) {
  const rows = new Map();
  for (const place of pain) {
    const key = `${place.channel}\u0000${place.event}`;
    const row = rows.get(key) ?? { ...place, total: 0, stages: {}, reasons: {} };
    row.total += place.count;
    row.stages[place.stage] = (row.stages[place.stage] ?? 0) + place.count;
    row.reasons[place.reason] = (row.reasons[place.reason] ?? 0) + place.count;
    rows.set(key, row);
  }
  return [...rows.values()].sort((one, other) => other.total - one.total);
}

function cell(n, top) {
  if (!n) return h("td", { class: "zero" }, "0");
  return h("td", { class: "hot", "--heat": `${Math.round(12 + 73 * Math.sqrt(n / top))}%` }, count(n));
}

function because(reasons) {
  const [first, ...others] = Object.entries(reasons).sort((one, other) => other[1] - one[1]);
  if (!first || first[0] === "none") return h("td", { class: "reason" });
  const more = others.length ? ` +${count(others.length)}` : "";
  return h("td", { class: "reason" }, data(first[0].replaceAll("_", " ")), more);
}

export function show(summary) {
  const all = touchpoints(summary.pain);
  const rows = all.slice(0, ROWS_MAX);
  const { since } = summary.window;
  put(byId("heat-note"), since ? say("pain_since", { time: when(since) }) : "");
  if (!rows.length) {
    byId("heat").replaceChildren(h("p", { class: "calm" }, say("no_pain")));
    return;
  }
  const stages = [...STAGES];
  const others = rows.some((row) => row.stages.none);
  if (others) stages.push("none");
  // A few pains are not much, however few there are elsewhere.
  const top = Math.max(8, ...rows.flatMap((row) => Object.values(row.stages)));
  const head = [
    h("th", { scope: "col" }, h("span", { class: "unseen" }, say("touchpoint"))),
    ...stages.map((stage) => h("th", { scope: "col" }, name("stage", stage))),
    h("th", { scope: "col" }, say("mostly")),
  ];
  const body = rows.map((row) => h("tr", {},
    h("th", { scope: "row" }, data(row.event.replaceAll("_", " ")), " ", h("span", { class: "channel" }, data(row.channel.replaceAll("_", " ")))),
    ...stages.map((stage) => cell(row.stages[stage], top)),
    because(row.reasons)));
  const table = h("table", {}, h("thead", {}, h("tr", {}, ...head)), h("tbody", {}, ...body));
  byId("heat").replaceChildren(table);
}
