// The five numbers above everything.

import { byId, h, put, s, sparkline } from "./draw.js";
import { count, percent, say } from "./words.js";

const rows = {};

function row(id, kind, drawn) {
  const [what, number, more] = ["what", "number", "more"].map((name) => h("span", { class: name }));
  const [line, under] = [s("polyline", { class: "spark" }), s("polygon", { class: "spark under" })];
  const picture = drawn
    ? s("svg", { viewBox: "0 0 100 30", preserveAspectRatio: "none", "aria-hidden": "true" }, under, line)
    : null;
  byId("figures").append(h("li", { class: kind }, what, number, more, picture));
  rows[id] = { what, number, more, line, under };
}

row("moments", "", true);
row("pains", "pain", true);
row("recovered", "good", false);
row("glories", "glory", false);
row("customers", "", false);

function draw(id, values) {
  if (values.length < 2) return;
  const points = sparkline(values);
  rows[id].line.setAttribute("points", points.join(" "));
  rows[id].under.setAttribute("points", `0,30 ${points.join(" ")} 100,30`);
}

/** Sums of three seconds: a curve that trembles is not calm. */
function smooth(values) {
  return values.map((_, i) => values.slice(Math.max(0, i - 2), i + 1).reduce((a, b) => a + b, 0));
}

export function show(summary) {
  const set = (id, number, more) => {
    put(rows[id].what, say(`figure_${id}`));
    put(rows[id].number, number);
    put(rows[id].more, more);
  };
  const seconds = summary.seconds;
  const last = seconds.slice(-10);
  const rate = last.length ? last.reduce((sum, [moments]) => sum + moments, 0) / last.length : 0;
  set("moments", count(Math.round(rate * 10) / 10), say("per_second"));
  const share = summary.moments ? summary.pains / summary.moments : 0;
  set("pains", count(summary.pains), say("of_moments", { share: percent(share) }));
  set("recovered", count(summary.recovered), say("after_pain"));
  set("glories", count(summary.glories), say("above_and_beyond"));
  const { partitions, partitions_of_all, stages } = summary.here;
  const customers = stages.reduce((sum, [, n]) => sum + n, 0);
  const here = partitions === partitions_of_all
    ? say("known_now")
    : say("known_here", { here: count(partitions), all: count(partitions_of_all) });
  set("customers", count(customers), here);
  draw("moments", smooth(seconds.map(([moments]) => moments)));
  draw("pains", smooth(seconds.map(([, pains]) => pains)));
}
