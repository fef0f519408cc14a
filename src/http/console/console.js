// The page: one summary comes in every second, each part shows its share of it.

import * as api from "./api.js";
import * as customer from "./customer.js";
import * as figures from "./figures.js";
import * as funnel from "./funnel.js";
import * as heat from "./heat.js";
import * as moments from "./moments.js";
import * as spikes from "./spikes.js";
import { byId, put } from "./draw.js";
import { count, language, say, sayOf, speak, use, when } from "./words.js";

const PARTS = [figures, funnel, spikes, heat, moments];

let newest = null;
let missed = 0;

function show() {
  if (newest === null) return;
  for (const part of PARTS) part.show(newest);
  const { since } = newest.window;
  put(byId("funnel-note"), since ? say("flows_since", { time: when(since) }) : "");
}

function state(kind, text) {
  byId("state").dataset.state = kind;
  put(byId("state-text"), text);
}

const on = {
  summary(summary, live) {
    newest = summary;
    const time = summary.as_of ? when(summary.as_of, true) : say("nothing_yet");
    state(live ? "live" : "slow", say(live ? "live" : "not_live", { time }) + (missed ? ` · ${sayOf("missed", missed)}` : ""));
    if (!document.hidden) show();
  },
  missed(more) { missed += more; },
  away() { state("away", say("away")); },
  refused() {
    state("away", say("token_title"));
    const dialog = byId("ask");
    if (!dialog.open) dialog.showModal();
    return new Promise((go) => dialog.addEventListener("close", () => {
      api.useToken(byId("token").value);
      customer.again();
      go();
    }, { once: true }));
  },
};

function theme(chosen) {
  if (chosen) document.documentElement.dataset.theme = chosen;
}

function remember(key, value) {
  try { localStorage.setItem(key, value); } catch { /* A tab without storage forgets. */ }
}

function recall(key) {
  try { return localStorage.getItem(key); } catch { return null; }
}

byId("theme").addEventListener("click", () => {
  const dark = getComputedStyle(document.documentElement).colorScheme === "dark"
    || (!document.documentElement.dataset.theme && matchMedia("(prefers-color-scheme: dark)").matches);
  theme(dark ? "light" : "dark");
  remember("rega.theme", dark ? "light" : "dark");
});

byId("language").addEventListener("change", ({ target }) => {
  use(target.value);
  remember("rega.language", target.value);
  speak();
  show();
  customer.again();
});

byId("find").addEventListener("submit", (event) => {
  event.preventDefault();
  const id = byId("who").value.trim();
  if (id) customer.open(id);
});

document.addEventListener("keydown", (event) => {
  const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement?.tagName ?? "");
  if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    byId("who").focus();
  }
});

document.addEventListener("visibilitychange", () => { if (!document.hidden) show(); });

theme(new URLSearchParams(location.search).get("theme") ?? recall("rega.theme"));
use(new URLSearchParams(location.search).get("language") ?? recall("rega.language") ?? navigator.language);
byId("language").value = language();
speak();
state("waiting", say("connecting"));
moments.start(customer.open);
customer.start();
api.follow(on);
