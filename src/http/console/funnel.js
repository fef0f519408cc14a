// The funnel as it is: people enter anywhere, skip, go back, leave and come again.
//
// Stages stand in a row. Above them run the steps forward, below them the steps back; from the rail
// at the bottom people come in, and to it they leave. A line is as thick as the root of its count,
// so that a rare path stays visible beside a busy one. What moves along the lines are the steps of
// the last second.

import { byId, calm, h, put, s } from "./draw.js";
import { count, isRtl, name, say } from "./words.js";

const STAGES = ["awareness", "consideration", "purchase", "loyalty", "advocacy"];
const [WIDTH, BASE, RAIL] = [960, 178, 372];
const [NODE_WIDTH, NODE_HEIGHT] = [138, 62];
const LABELS_MAX = 8;
const MOTES_MAX = 26;

const flows = new Map();
let nodes = [];
let svg, labels, motes, table, before;
let direction;

const middle = (i) => {
  const x = 96 + i * ((WIDTH - 192) / 4);
  return isRtl() ? WIDTH - x : x;
};
const forward = () => (isRtl() ? -1 : 1);

/** The line between two stages, or between a stage and the outside (-1). */
function path(from, to) {
  const half = NODE_HEIGHT / 2;
  const side = forward();
  if (from < 0) {
    const x = middle(to) - 16 * side;
    return `M${x} ${RAIL} L${x} ${BASE + half + 3}`;
  }
  if (to < 0) {
    const x = middle(from) + 16 * side;
    return `M${x} ${BASE + half + 3} L${x} ${RAIL}`;
  }
  const span = Math.abs(to - from);
  const up = from < to;
  const spread = 30 + 5 * (4 - span);
  const out = middle(from) + (up ? spread : -spread) * side;
  const into = middle(to) + (up ? -spread : spread) * side;
  const y = up ? BASE - half - 3 : BASE + half + 3;
  const lift = (up ? -1 : 1) * (34 + 40 * span);
  return `M${out} ${y} C${out} ${y + lift} ${into} ${y + lift} ${into} ${y}`;
}

function build() {
  direction = isRtl();
  flows.clear();
  const lines = s("g", {});
  for (let from = -1; from < 5; from += 1) {
    for (let to = -1; to < 5; to += 1) {
      if (from === to) continue;
      const kind = from < 0 ? "enter" : to < 0 ? "leave" : from < to ? "forth" : "back";
      const line = s("path", { class: `flow none ${kind}`, d: path(from, to), "stroke-width": 1 });
      lines.append(line);
      flows.set(`${from}>${to}`, { from, to, kind, line, count: 0 });
    }
  }
  nodes = STAGES.map((stage, i) => {
    const [title, number] = [s("text", { class: "name", y: -9 }), s("text", { class: "count", y: 15 })];
    const left = -NODE_WIDTH / 2;
    const level = s("rect", { class: `level s${i}`, x: left + 12, y: NODE_HEIGHT / 2 - 9, height: 4, rx: 2, width: 0 });
    const node = s("g", { class: "node", transform: `translate(${middle(i)} ${BASE})`, tabindex: 0, role: "img" },
      s("rect", { class: "box", x: left, y: -NODE_HEIGHT / 2, width: NODE_WIDTH, height: NODE_HEIGHT, rx: 14 }),
      level, title, number);
    const near = (on) => () => nearby(on ? i : null);
    for (const [event, on] of [["pointerenter", true], ["pointerleave", false], ["focus", true], ["blur", false]]) {
      node.addEventListener(event, near(on));
    }
    return { node, title, number, level };
  });
  [labels, motes] = [s("g", { "aria-hidden": "true" }), s("g", { "aria-hidden": "true" })];
  const outside = s("text", { class: "outside", x: WIDTH / 2, y: RAIL + 20 });
  svg = s("svg", { viewBox: `0 0 ${WIDTH} ${RAIL + 26}`, role: "group" },
    s("line", { class: "rail", x1: 30, x2: WIDTH - 30, y1: RAIL, y2: RAIL }), outside,
    lines, motes, ...nodes.map(({ node }) => node), labels);
  put(outside, say("outside"));
  const key = h("p", { class: "key" }, ...["forth", "back", "enter", "leave"].map((kind) =>
    h("span", { class: kind }, h("b", {}, say(`flow_${kind}`)))));
  table = h("table", { class: "unseen" });
  byId("funnel").replaceChildren(svg, key, table);
}

/** Brings out what leads to and from one stage. */
function nearby(stage) {
  if (stage === null) delete svg.dataset.near;
  else svg.dataset.near = stage;
  for (const flow of flows.values()) {
    flow.line.classList.toggle("near", stage !== null && (flow.from === stage || flow.to === stage));
  }
  write();
}

/** Writes counts on the lines that matter: the busiest, or those of the stage that is looked at. */
function write() {
  const near = svg.dataset.near;
  const shown = [...flows.values()].filter(({ count: n, from, to }) =>
    0 < n && (near === undefined || from === Number(near) || to === Number(near)));
  shown.sort((one, other) => other.count - one.count);
  labels.replaceChildren(...shown.slice(0, near === undefined ? LABELS_MAX : 12).map((flow) => {
    const vertical = flow.from < 0 || flow.to < 0;
    const at = flow.line.getPointAtLength(flow.line.getTotalLength() * (vertical ? (flow.from < 0 ? 0.2 : 0.8) : 0.5));
    const aside = vertical ? (flow.from < 0 ? -18 : 18) * forward() : 0;
    return s("text", { class: `label ${near === undefined ? "" : "near"}`, x: at.x + aside, y: at.y + 4 }, count(flow.count));
  }));
}

function place(stage) {
  return STAGES.indexOf(stage);
}

export function show(summary) {
  if (!svg || direction !== isRtl()) { build(); before = undefined; }
  const stock = Object.fromEntries(summary.here.stages);
  const most = Math.max(...STAGES.map((stage) => stock[stage] ?? 0), 1);
  nodes.forEach(({ node, title, number, level }, i) => {
    const n = stock[STAGES[i]] ?? 0;
    put(title, name("stage", STAGES[i]));
    put(number, count(n));
    node.setAttribute("aria-label", `${name("stage", STAGES[i])}: ${count(n)}`);
    const width = ((NODE_WIDTH - 24) * n) / most;
    level.setAttribute("width", width);
    if (isRtl()) level.setAttribute("x", NODE_WIDTH / 2 - 12 - width);
  });
  for (const flow of flows.values()) flow.count = 0;
  for (const step of summary.transitions) {
    const flow = flows.get(`${place(step.from)}>${place(step.to)}`);
    if (flow) flow.count += step.count;
  }
  const top = Math.max(...[...flows.values()].map((flow) => flow.count), 1);
  for (const flow of flows.values()) {
    flow.line.classList.toggle("none", flow.count <= 0);
    flow.line.setAttribute("stroke-width", (1 + 11 * Math.sqrt(Math.max(flow.count, 0) / top)).toFixed(2));
  }
  write();
  tell();
  move();
}

/** The same for those who do not see it. */
function tell() {
  const rows = [...flows.values()].filter((flow) => 0 < flow.count).map((flow) => h("tr", {},
    h("td", {}, flow.from < 0 ? say("outside") : name("stage", STAGES[flow.from])),
    h("td", {}, flow.to < 0 ? say("outside") : name("stage", STAGES[flow.to])),
    h("td", {}, count(flow.count))));
  const head = ["from", "to", "count"].map((word) => h("th", { scope: "col" }, say(word)));
  table.replaceChildren(h("caption", {}, say("funnel_table")), h("thead", {}, h("tr", {}, ...head)), h("tbody", {}, ...rows));
}

/** Sends the steps of the last second along their lines. */
function move() {
  const now = new Map([...flows].map(([key, flow]) => [key, flow.count]));
  if (before && !calm.matches && !document.hidden) {
    const steps = [];
    for (const [key, flow] of flows) {
      for (let n = Math.min(flow.count - (before.get(key) ?? 0), 6); 0 < n; n -= 1) steps.push(flow);
    }
    for (let i = steps.length - 1; 0 < i; i -= 1) {
      const j = Math.floor(Math.random() * (i + 1));
      [steps[i], steps[j]] = [steps[j], steps[i]];
    }
    steps.slice(0, MOTES_MAX).forEach((flow, i) => launch(flow, (i * 1000) / MOTES_MAX));
  }
  before = now;
}

function launch({ line, kind }, delay) {
  const mote = s("circle", { class: `mote ${kind}`, r: 3.2 });
  const length = line.getTotalLength();
  const takes = 700 + length * 2.2;
  const start = performance.now() + delay;
  const step = (now) => {
    const part = (now - start) / takes;
    if (1 <= part || !line.isConnected) { mote.remove(); return; }
    if (0 <= part) {
      if (!mote.parentNode) motes.append(mote);
      const eased = part * part * (3 - 2 * part);
      const at = line.getPointAtLength(length * eased);
      mote.setAttribute("cx", at.x);
      mote.setAttribute("cy", at.y);
    }
    requestAnimationFrame(step);
  };
  requestAnimationFrame(step);
}
