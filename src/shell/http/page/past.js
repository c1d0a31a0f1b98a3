// The view of what was: incidents with their timelines, and every call.

import { ask, part } from "./api.js";
import { el, fill, tell } from "./dom.js";
import { ladders } from "./ladder.js";
import { qualities, state, timeline, tone } from "./timeline.js";
import { moment, say } from "./words.js";

const PAGE = 25;

function incident(it) {
  const inside = el("div");
  const details = el("details", { class: "sheet", "data-incident": it.incident },
    el("summary", {},
      el("span", { class: "grow" }, it.message || it.call_flow),
      el("span", { class: "meta" }, it.accepted_at && moment(it.accepted_at, false)),
      el("span", { class: `chip ${tone(it.state)}` }, state(it.state))),
    inside);
  details.addEventListener("toggle", async () => {
    if (!details.open) return;
    try {
      const whole = await ask("GET", `/v1/incidents/${part(it.incident)}`);
      fill(inside, timeline(whole), qualities(whole), el("p", { class: "meta" }, it.call_flow, " · ", el("code", {}, it.incident)), ladders(it.incident));
    } catch (why) {
      tell(why.message);
    }
  });
  return details;
}

function call(it) {
  const how = it.outcome === "cancelled" ? say("o_cancelled") : it.outcome ? say(it.outcome) : say("calling");
  const look = it.outcome === "taken" ? "good" : it.outcome === "failed" ? "bad" : it.outcome ? "" : "calling";
  return el("li", {},
    el("time", { class: "meta", datetime: it.dialled_at }, moment(it.dialled_at)),
    el("span", {}, it.name || it.contact),
    el("code", { class: "soft" }, it.phone),
    it.keys.length > 0 && el("span", { class: "soft" }, `${say("keys")}: ${it.keys.map((key) => key.digit).join(" ")}`),
    el("span", { class: `chip ${look}` }, how, it.code ? ` ${it.code}` : ""));
}

/** A list that grows by pages: `load(last)` gives the next ones. */
function paged(title, list, load, draw) {
  const more = el("button", { type: "button" }, say("more"));
  const none = el("p", { class: "soft" }, say("none_yet"));
  let last = null;
  const next = async () => {
    more.disabled = true;
    try {
      const page = await load(last);
      last = page.at(-1) ?? last;
      list.append(...page.map(draw));
      more.hidden = page.length < PAGE;
      none.hidden = list.childElementCount > 0;
    } catch (why) {
      tell(why.message);
    } finally {
      more.disabled = false;
    }
  };
  more.hidden = none.hidden = true;
  more.addEventListener("click", next);
  next();
  return el("section", {}, el("h2", {}, title), none, list, el("div", {}, more));
}

/** The view. */
export function past(place) {
  const before = (name, last) => `limit=${PAGE}${last === null ? "" : `&before=${part(last[name])}`}`;
  fill(place,
    paged(say("incidents"), el("div", { class: "people" }), async (last) => (await ask("GET", `/v1/incidents?${before("incident", last)}`)).incidents, incident),
    paged(say("calls"), el("ol", { class: "sheet calls" }), async (last) => (await ask("GET", `/v1/calls?${before("seq", last)}`)).calls, call));
  return { told() {}, again() {}, end() {} };
}
