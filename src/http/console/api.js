// What the console asks of Rega, and nothing else: /v1/summary, /v1/stream, /v1/customers/{id} and its /explanation.

const KEY = "rega.token";
let token = sessionStorage.getItem(KEY) ?? "";

export function useToken(written) {
  token = written;
  sessionStorage.setItem(KEY, written);
}

function ask(path, options = {}) {
  const headers = token ? { authorization: `Bearer ${token}` } : {};
  return fetch(path, { headers, cache: "no-store", ...options });
}

async function json(path) {
  const answer = await ask(path);
  const body = await answer.json().catch(() => ({}));
  return { status: answer.status, body };
}

// A browser follows no redirect to another origin: where another instance answers, that is told.
export const customer = (id) => json(`/v1/customers/${encodeURIComponent(id)}?redirect=no`);
export const explanation = (id) => json(`/v1/customers/${encodeURIComponent(id)}/explanation?redirect=no`);

/** Splits a stream of server-sent events into [event, data]. */
async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    rest += value;
    let end;
    while (0 <= (end = rest.indexOf("\n\n"))) {
      const lines = rest.slice(0, end).split("\n");
      rest = rest.slice(end + 2);
      const field = (name) => lines.find((line) => line.startsWith(name))?.slice(name.length) ?? "";
      yield [field("event: "), field("data: ")];
    }
  }
}

const pause = (seconds) => new Promise((go) => setTimeout(go, seconds * 1000));

/**
 * Follows the picture for ever: live where there is a place, else by asking every few seconds.
 * `on` is told: summary(object), missed(count), away(), refused() → a promise of another try.
 */
export async function follow(on) {
  let failures = 0;
  for (;;) {
    try {
      const answer = await ask("/v1/stream");
      if (answer.status === 401) { await on.refused(); continue; }
      if (answer.ok && answer.body) {
        for await (const [event, data] of events(answer.body)) {
          failures = 0;
          if (event === "summary") on.summary(JSON.parse(data), true);
          if (event === "missed") on.missed(Number(data));
        }
        // It ended in good order, as every connection does after a while: once more at once.
        await pause(failures ? Math.min(failures, 5) : 0.1);
        failures += 1;
        continue;
      }
      const summary = await ask("/v1/summary");
      if (summary.ok) on.summary(await summary.json(), false);
      await pause(3);
    } catch {
      on.away();
      failures += 1;
      await pause(Math.min(failures, 5));
    }
  }
}
