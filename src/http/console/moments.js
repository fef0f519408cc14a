// The stream of moments: a few a second, what somebody felt first, never faster than one can read.

import { byId, data, h, put } from "./draw.js";
import { count, name, say, sayOf, when } from "./words.js";

const ROWS_MAX = 14;
const EACH_SECOND_MAX = 3;

let show_all = true;
let paused = false;
let last = "";
let open;

const felt = ({ valence }) => ["pain", "glory", "recovered"].includes(valence);
const key = (moment) => `${moment.ts} ${moment.customer_id} ${moment.event}`;

export function start(onCustomer) {
  open = onCustomer;
  for (const button of document.querySelectorAll("[data-show]")) {
    button.addEventListener("click", () => {
      show_all = button.dataset.show === "all";
      for (const other of document.querySelectorAll("[data-show]")) {
        other.setAttribute("aria-pressed", String(other === button));
      }
      byId("moments").replaceChildren();
      last = "";
    });
  }
  const pause = byId("pause");
  pause.addEventListener("click", () => {
    paused = !paused;
    pause.setAttribute("aria-pressed", String(paused));
  });
}

function row(moment) {
  const feeling = felt(moment) ? moment.valence : "";
  const reason = moment.reason ? data(moment.reason.replaceAll("_", " ")) : name("valence", moment.valence);
  const intent = moment.micro_moment === "none" ? null : h("span", { class: "intent" }, name("micro_moment", moment.micro_moment));
  const truth = moment.moment_of_truth === "none" ? null : h("span", { class: "intent" }, name("moment_of_truth", moment.moment_of_truth));
  return h("li", { class: feeling },
    h("span", { class: "dot", "aria-hidden": "true" }),
    h("span", { class: "what" }, data(moment.event.replaceAll("_", " ")), " ", h("span", { class: "channel" }, data(moment.channel.replaceAll("_", " ")))),
    h("time", { datetime: moment.ts }, when(moment.ts)),
    h("span", { class: "who" },
      h("button", { type: "button", onclick: () => open(moment.customer_id) }, data(moment.customer_id)), intent, truth),
    feeling ? h("span", { class: "felt" }, reason) : null);
}

export function show(summary) {
  put(byId("moments-note"), summary.unshown ? sayOf("unshown", summary.unshown) : "");
  const list = byId("moments");
  if (paused || list.matches(":hover") || list.contains(document.activeElement)) return;
  const all = summary.recent.filter((moment) => show_all || felt(moment));
  const known = all.findLastIndex((moment) => key(moment) === last);
  let fresh = all.slice(known + 1);
  if (list.childElementCount && EACH_SECOND_MAX < fresh.length) {
    const loud = fresh.filter(felt).slice(-EACH_SECOND_MAX);
    const quiet = fresh.filter((moment) => !felt(moment)).slice(-(EACH_SECOND_MAX - loud.length || -Infinity));
    const kept = new Set([...loud, ...(loud.length < EACH_SECOND_MAX ? quiet : [])]);
    fresh = fresh.filter((moment) => kept.has(moment));
  }
  if (all.length) last = key(all.at(-1));
  list.prepend(...fresh.reverse().map(row));
  while (ROWS_MAX < list.childElementCount) list.lastElementChild.remove();
}
