// What happened to one incident, in order, read from its record: the same live and afterwards.

import { el } from "./dom.js";
import { knows, moment, say } from "./words.js";

const BAD = ["failed", "unreachable", "rejected"];

/** The word for a state. */
export const state = (name) => say(name === "cancelled" ? "o_cancelled" : name);

/** How a state looks. */
export function tone(name) {
  if (name === "calling" || name === "queued") return "calling";
  if (name === "acknowledged" || name === "resolved") return "good";
  return name === "exhausted" ? "bad" : "";
}

const outcome = (name) => (name === "cancelled" ? say("o_cancelled") : say(name));
const key = (means) => (means && knows(`k_${means}`) ? say(`k_${means}`) : means);

/** The steps, oldest first: `{at, text, tone, now}`. */
export function steps(incident) {
  const all = [];
  const add = (at, text, look = "", now = false) => all.push({ at: at || "", text, look, now });
  const names = new Map(incident.attempts.map((attempt) => [attempt.contact, attempt.name]));
  const who = (id) => names.get(id) || id;
  add(incident.accepted_at, say("e_accepted"));
  for (const attempt of incident.attempts) {
    const of = { who: attempt.name || attempt.contact };
    const up = !attempt.ended_at;
    const ringing = up && !attempt.answered_at;
    if (attempt.called_in) add(attempt.dialled_at, say("e_called_in", of), "calling");
    else add(attempt.dialled_at, say("e_dialled", of), "calling", ringing && !attempt.ringing_at);
    if (attempt.ringing_at) add(attempt.ringing_at, say("e_ringing", of), "calling", ringing);
    if (attempt.answered_at) {
      const waits = up && attempt.keys.length === 0 && !attempt.room;
      add(attempt.answered_at, say("e_answered", of), "", waits);
    }
    for (const pressed of attempt.keys) {
      const means = key(pressed.means);
      add(pressed.at, say(means ? "e_key_means" : "e_key", { ...of, digit: pressed.digit, means }), "key");
    }
    if (attempt.room && up) {
      const since = attempt.keys.at(-1)?.at || attempt.answered_at;
      add(since, say("e_room", { ...of, room: attempt.room }), "good", true);
    }
    if (!up) {
      const look = BAD.includes(attempt.outcome) ? "bad" : "";
      const code = attempt.code ? ` (${attempt.code})` : attempt.reason ? ` (${attempt.reason})` : "";
      // Who took it is told by itself.
      if (attempt.outcome === "taken") add(attempt.ended_at, say("e_over", of));
      else add(attempt.ended_at, say("e_ended", { ...of, outcome: outcome(attempt.outcome) }) + code, look);
    }
  }
  for (const skipped of incident.skipped) add(skipped.at, say("e_skipped", { who: who(skipped.contact) }));
  const last = () => all.reduce((latest, step) => (step.at > latest ? step.at : latest), "");
  const end = incident.ended_at || last();
  for (const id of incident.taken_by) add(keyed(incident, id) || end, say("e_acknowledged", { who: who(id) }), "good");
  if (incident.claimed_by) add(end, say("e_claimed", { by: incident.claimed_by }), "good");
  if (incident.quieted) {
    add(end, say("e_quieted", { who: who(incident.quieted.contact), hours: incident.quieted.hours }));
  }
  const by = { by: incident.ended_by || "" };
  if (incident.state === "exhausted") add(end, say("e_exhausted"), "bad");
  if (incident.state === "suppressed") add(end, say("e_suppressed"));
  if (incident.state === "resolved") add(end, say("e_resolved", by), "good");
  if (incident.state === "cancelled") add(end, say("e_cancelled", by));
  for (const waiting of incident.waiting || []) {
    add(waiting.since, say("e_waiting", { who: who(waiting.contact), reason: waiting.reason }), "calling", true);
  }
  // A step without a time of its own stays where it stands; equal times keep their order.
  return all.map((step, place) => [step, place]).sort(([a, i], [b, j]) => (a.at < b.at ? -1 : a.at > b.at ? 1 : i - j)).map(([step]) => step);
}

function keyed(incident, id) {
  const attempt = incident.attempts.find((it) => it.contact === id && it.keys.some((pressed) => pressed.means === "take" || pressed.means === "join"));
  return attempt?.keys.find((pressed) => pressed.means === "take" || pressed.means === "join")?.at;
}

/** How the voice of a call went, as `status` says it: what was lost and how uneven it came, in both directions. */
function quality({ quality: found }) {
  const side = (word, it) => it && say(word, { lost: it.packets > 0 ? ((100 * it.lost) / it.packets).toFixed(1) : "0.0", jitter: Math.round(it.jitter_ms) });
  const parts = [side("q_here", found.here), side("q_there", found.there), found.round_trip_ms != null && say("q_round", { ms: Math.round(found.round_trip_ms) })];
  return parts.filter(Boolean).join(" · ");
}

/** A line a call whose voice was measured. */
export function qualities(incident) {
  const calls = incident.attempts.filter((it) => it.quality);
  return calls.length > 0 && el("ul", { class: "qualities" }, calls.map((it) =>
    el("li", { class: "meta" }, el("strong", {}, it.name || it.contact), ` ${quality(it)}`)));
}

/** The steps as a list. */
export function timeline(incident) {
  return el("ol", { class: "timeline" }, steps(incident).map((step) =>
    el("li", { class: `${step.look}${step.now ? " now" : ""}`.trim() || null },
      el("time", { datetime: step.at }, step.at ? moment(step.at) : ""),
      el("span", { class: "dot", "aria-hidden": "true" }),
      el("span", {}, step.text),
    )));
}
