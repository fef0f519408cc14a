// One customer: how they stand, where each point of the score comes from, and the way they took.

import * as api from "./api.js";
import { byId, data, h, s } from "./draw.js";
import { count, decimal, isRtl, name, percent, say, sayOf, span, when } from "./words.js";

const TRACKS = ["access", "engage", "customize", "connect", "collaborate"];
const STAGES = ["awareness", "consideration", "purchase", "loyalty", "advocacy"];

let shown = null;

export async function open(id) {
  const dialog = byId("customer");
  shown = id;
  location.hash = `customer=${encodeURIComponent(id)}`;
  fill(dialog, id, h("p", { class: "note" }, say("looking")));
  if (!dialog.open) dialog.showModal();
  let answer;
  try {
    answer = await api.customer(id);
    if (answer.status === 200) {
      const why = await api.explanation(id);
      if (why.status === 200) answer.body.explained = why.body;
    }
  } catch {
    answer = { status: 0, body: {} };
  }
  if (shown !== id) return;
  // Busy, or still being restored: it will be known in a moment.
  if (answer.status === 503) setTimeout(() => { if (shown === id) open(id); }, 2000);
  fill(dialog, id, ...(answer.status === 200 ? page(answer.body) : [h("p", { class: "note", role: "alert" }, because(answer), " ", there(answer, id))]));
}

/** A link to the same customer in the console of the instance that has them. */
function there({ body }, id) {
  const site = /^(https?:.*)\/v1\/customers\//.exec(body.location ?? "")?.[1];
  return site ? h("a", { href: `${site}/#customer=${encodeURIComponent(id)}` }, data(site)) : null;
}

export function start() {
  const dialog = byId("customer");
  dialog.addEventListener("close", () => {
    // It comes a little later: somebody else may have been looked up since.
    if (dialog.open) return;
    shown = null;
    history.replaceState(null, "", location.pathname);
  });
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
  const wanted = new URLSearchParams(location.hash.slice(1)).get("customer");
  if (wanted) open(wanted);
}

/** After a change of language. */
export function again() {
  if (shown !== null) open(shown);
}

function because({ status, body }) {
  if (status === 404) return say("nobody");
  if (status === 421) return say("elsewhere");
  if (status === 401) return say("token_title");
  return body.error ?? say("no_answer");
}

function fill(dialog, id, ...content) {
  const close = h("button", { type: "button", onclick: () => dialog.close() }, say("close"));
  dialog.replaceChildren(h("div", { class: "top" }, h("h2", { id: "customer-title" }, data(id)), close), ...content);
}

function page(customer) {
  return [
    score(customer),
    facts(customer),
    h("h3", {}, say("journey")),
    ...journey(customer),
    h("h3", {}, say("why_score")),
    ...ledger(customer),
  ];
}

function score({ engagement }) {
  const overall = engagement.overall ?? 0;
  const around = 2 * Math.PI * 46;
  const ring = s("svg", { class: "ring", viewBox: "0 0 110 110", role: "img", "aria-label": `${say("overall")}: ${decimal(overall)}` },
    s("circle", { cx: 55, cy: 55, r: 46 }),
    s("circle", { class: "full", cx: 55, cy: 55, r: 46, transform: "rotate(-90 55 55)",
      "stroke-dasharray": `${(around * overall) / 100} ${around}` }),
    s("text", { x: 55, y: 60 }, decimal(overall)),
    s("text", { class: "band", x: 55, y: 79 }, name("band", engagement.band)));
  const bars = TRACKS.map((track) => h("li", {},
    h("span", {}, name("track", track)),
    h("span", { class: "bar-line", "aria-hidden": "true" }, h("i", { "--part": `${engagement[track] ?? 0}%` })),
    h("span", { class: "n" }, decimal(engagement[track] ?? 0))));
  return h("div", { class: "score" }, ring, h("ul", { class: "bars tracks" }, ...bars));
}

function facts(customer) {
  const fact = (word, value) => h("span", {}, `${say(word)} `, h("b", {}, value));
  const { engagement, stage, touchpoints, pains, glories, recovered, next_band_at, first_seen, last_seen } = customer;
  return h("p", { class: "facts" },
    fact("stage", name("stage", stage)),
    fact("touchpoints", count(touchpoints)),
    fact("pains", count(pains)),
    fact("made_good", count(recovered)),
    fact("glories", count(glories)),
    engagement.balance === null ? null : fact("balance", decimal(engagement.balance)),
    first_seen ? fact("first_seen", when(first_seen)) : null,
    last_seen ? fact("last_seen", when(last_seen)) : null,
    next_band_at ? fact("next_band", when(next_band_at)) : null);
}

/** The way through the stages, on a time line; deadlines that are still to come at its end. */
function journey({ journey: walked, open_episodes: waiting, as_of, first_seen }) {
  const steps = walked?.transitions ?? [];
  if (!steps.length) return [h("p", { class: "note" }, say("no_journey"))];
  const now = Date.parse(as_of);
  // Only the newest steps are kept. What lay before them gets a little room, and no line.
  const oldest = Date.parse(steps[0].at);
  const first = Math.max(Date.parse(first_seen ?? steps[0].at), oldest - 0.12 * (now - oldest));
  const dues = (waiting ?? []).filter(({ deadline }) => deadline);
  const end = Math.max(now, ...dues.map(({ deadline }) => Math.min(Date.parse(deadline), now + (now - first) * 0.4)));
  const [width, left, right, lane] = [640, 116, 20, 30];
  const flip = (x) => (isRtl() ? width - x : x);
  const x = (time) => flip(left + ((width - left - right) * (time - first)) / Math.max(end - first, 1));
  const y = (stage) => 16 + (4 - STAGES.indexOf(stage)) * lane;
  const outside = 16 + 5 * lane;
  const at = (stage) => (STAGES.includes(stage) ? y(stage) : outside);
  let line = "";
  steps.forEach((step, i) => {
    line += i ? ` H${x(Date.parse(step.at))} V${at(step.to)}` : `M${x(Date.parse(step.at))} ${at(step.to)}`;
  });
  line += ` H${x(now)}`;
  const lanes = STAGES.flatMap((stage) => [
    s("line", { class: "lane", x1: flip(left), x2: flip(width - right), y1: y(stage), y2: y(stage) }),
    s("text", { x: flip(left - 12), y: y(stage) + 4, "text-anchor": "end" }, name("stage", stage))]);
  const dots = steps.map((step) => s("circle", { class: `step s${Math.max(0, STAGES.indexOf(step.to))}`, cx: x(Date.parse(step.at)), cy: at(step.to), r: 5.5 },
    s("title", {}, `${name("transition", step.kind)} · ${when(step.at)}`)));
  const deadlines = dues.filter(({ deadline }) => Date.parse(deadline) <= end).map(({ deadline, kind }) =>
    s("line", { class: "due", x1: x(Date.parse(deadline)), x2: x(Date.parse(deadline)), y1: 8, y2: outside },
      s("title", {}, `${kind} · ${when(deadline)}`)));
  const ends = [
    s("text", { x: x(first), y: outside + 18, "text-anchor": "start" }, when(new Date(first).toISOString())),
    s("text", { x: x(now), y: outside + 18, "text-anchor": "end" }, when(as_of))];
  const picture = s("svg", { viewBox: `0 0 ${width} ${outside + 24}`, role: "img", "aria-label": sayOf("journey_picture", steps.length) },
    ...lanes, ...deadlines, s("path", { class: "walk", d: line }), ...dots, ...ends);
  return [h("div", { class: "path" }, picture), list(steps, waiting ?? [])];
}

function list(steps, waiting) {
  const walked = [...steps].reverse().map((step) => h("li", {},
    `${when(step.at)} · ${name("transition", step.kind)} · ${name("stage", step.to)}`));
  const open = waiting.map((episode) => h("li", { class: episode.overdue ? "late" : "" },
    `${say("open_since", { time: when(episode.opened_at) })} · `, data(episode.kind.replaceAll("_", " ")),
    episode.key ? [" ", data(episode.key)] : null,
    episode.reason ? [" · ", data(episode.reason.replaceAll("_", " "))] : null,
    episode.deadline ? ` · ${say(episode.overdue ? "was_due" : "due", { time: when(episode.deadline) })}` : null));
  return h("details", { class: "steps" }, h("summary", {}, say("every_step")), h("ul", {}, ...open, ...walked));
}

/** One line for each rule that gave points: their sum is the score. The explanation has them exactly. */
function ledger({ ledger: told, engagement, as_of: told_at, explained }) {
  // The explanation is of its own instant: its lines belong to its scores.
  const as_of = explained ? explained.as_of : told_at;
  const scores = explained
    ? Object.fromEntries(explained.tracks.map(({ track, score: points }) => [track, points]))
    : engagement;
  const lines = explained
    ? explained.tracks.flatMap(({ track, lines: exact }) => exact.map((line) => ({ track, ...line })))
    : told;
  if (!lines?.length) return [h("p", { class: "note" }, say("no_ledger"))];
  const sorted = [...lines].sort((one, other) =>
    TRACKS.indexOf(one.track) - TRACKS.indexOf(other.track) || Math.abs(other.counted) - Math.abs(one.counted));
  const rows = sorted.map((line) => {
    const capped = line.points - line.counted;
    return h("tr", {},
      h("td", {}, name("track", line.track)),
      h("td", {}, line.rule ? data(line.rule) : h("span", { class: "gone" }, say("rule_gone")),
        line.half_life ? h("span", { class: "note" }, " ", say("half_life", { span: line.half_life })) : null),
      h("td", {}, span(Date.parse(as_of) - Date.parse(line.as_of))),
      h("td", { class: "n" }, decimal(line.points)),
      h("td", { class: "n cap" }, Math.abs(capped) < 0.005 ? "" : decimal(-capped)),
      h("td", { class: line.counted < 0 ? "n minus" : "n" }, decimal(line.counted)));
  });
  const sums = TRACKS.filter((track) => lines.some((line) => line.track === track)).map((track) => {
    const sum = lines.filter((line) => line.track === track).reduce((total, line) => total + line.counted, 0);
    const clamped = Math.abs(sum - (scores[track] ?? 0)) < 0.05 ? "" : say("within_bounds");
    return h("tr", {}, h("td", { colspan: 5 }, name("track", track), " ", h("span", { class: "note" }, clamped)),
      h("td", { class: "n" }, decimal(scores[track] ?? 0)));
  });
  const head = ["track", "rule", "age", "points", "cap", "counts"].map((word, i) =>
    h("th", { scope: "col", class: 2 < i ? "n" : "" }, say(`ledger_${word}`)));
  return [
    h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": say("why_score") },
      h("table", {}, h("thead", {}, h("tr", {}, ...head)), h("tbody", {}, ...rows), h("tfoot", {}, ...sums))),
    explained ? whole(explained) : null,
    h("p", { class: "note" }, say("ledger_note")),
  ].filter(Boolean);
}

/** How the tracks make the score: each by its share. */
function whole({ tracks, overall }) {
  const parts = tracks.filter(({ score: points, share }) => 0 < share * points).map(({ track, share, score: points }) =>
    `${decimal(points)} ${name("track", track)} × ${percent(share)}`);
  return h("p", { class: "whole" }, `${parts.join(" + ")} = `, h("b", {}, decimal(overall)));
}
