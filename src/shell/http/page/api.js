// The daemon's HTTP: questions with a token, and events as they happen.

const KEY = "hansho-token";
let kept = sessionStorage.getItem(KEY) || "";

/** The token of this tab; it is gone with the tab. */
export const token = {
  get: () => kept,
  set(text) { kept = text; sessionStorage.setItem(KEY, text); },
  clear() { kept = ""; sessionStorage.removeItem(KEY); },
};

/** What the daemon refused: its status, its code, its words, and each field by itself where it says so. */
export class Refused extends Error {
  constructor(status, error) {
    super(error.message || `HTTP ${status}`);
    this.status = status;
    this.code = error.code || "";
    this.fields = error.fields || [];
  }
}

function headers(more) {
  return { Authorization: `Bearer ${kept}`, ...more };
}

async function refusal(response) {
  let error = {};
  try {
    error = (await response.json()).error || {};
  } catch {
    // Something between us and the daemon answered.
  }
  return new Refused(response.status, error);
}

/** Fetches a file. */
export async function fetched(path) {
  const response = await fetch(path, { headers: headers({}), cache: "no-store", credentials: "omit", redirect: "error" });
  if (!response.ok) throw await refusal(response);
  return response.blob();
}

/** Asks, and gives the answer's JSON. */
export async function ask(method, path, body) {
  const more = body === undefined ? {} : { "Content-Type": "application/json" };
  const response = await fetch(path, {
    method,
    headers: headers(more),
    body: body === undefined ? undefined : JSON.stringify(body),
    cache: "no-store",
    credentials: "omit",
    redirect: "error",
  });
  if (!response.ok) throw await refusal(response);
  return response.json();
}

/** A part of a path. */
export const part = encodeURIComponent;

/** Reads events until they end; `told` gets each as an object. Resolves when the stream is over. */
async function read(told, began, signal) {
  const response = await fetch("/v1/events", { headers: headers({}), cache: "no-store", credentials: "omit", signal });
  if (!response.ok) throw await refusal(response);
  began();
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const parts = (rest + value).split("\n\n");
    rest = parts.pop();
    for (const message of parts) {
      const data = message.split("\n").filter((line) => line.startsWith("data:")).map((line) => line.slice(5).trim());
      if (data.length > 0) told(JSON.parse(data.join("\n")));
    }
  }
}

/**
 * Follows what happens for as long as `signal` lets it: `told(event)`, `stands(true | false)` when the line is up or
 * away, `denied(refused)` when the token opens nothing any more.
 */
export async function follow({ told, stands, denied, signal }) {
  let pause = 500;
  while (!signal.aborted) {
    try {
      await read(told, () => { pause = 500; stands(true); }, signal);
    } catch (why) {
      if (signal.aborted) return;
      if (why instanceof Refused && (why.status === 401 || why.status === 403)) return denied(why);
    }
    stands(false);
    await new Promise((go) => setTimeout(go, pause));
    pause = Math.min(pause * 2, 10000);
  }
}
