// The view of now: what is open, who is in the rooms, what is kept quiet, the trunks, and a test call.

import { ask, part } from "./api.js";
import { usable } from "./directory.js";
import { el, fill, keeper, settle, sure, tell } from "./dom.js";
import { qualities, state, timeline, tone } from "./timeline.js";
import { moment, say } from "./words.js";

const OPEN = ["queued", "calling"];
/** What a promise to stay quiet may be about. */
const SCOPE = ["host", "service", "dedup", "call_flow", "message"];
/** How often the page looks again by itself while somebody is on the phone: no event tells how a voice goes. */
const LOOK_AGAIN = 5000;
/** What ended less than so many milliseconds ago is still shown. */
const LATELY = 3600000;
/** Who is heard just now, by room and person. */
const talking = new Set();
const names = new Map();

const heard = (room, contact) => `${room}\n${contact}`;
const nameOf = (contact) => names.get(contact) || contact;

/** Does something, and says what came of it. */
export async function attempt(act, done) {
  try {
    await act();
    tell(done);
  } catch (why) {
    tell(why.message);
  }
}

/** One incident; its buttons stay while its timeline grows. */
function incident(first, again) {
  const path = `/v1/incidents/${part(first.incident)}`;
  const [chip, meta, steps, buttons] = [el("span"), el("p", { class: "meta" }), el("div"), el("div", { class: "row" })];
  const node = el("article", { "data-incident": first.incident, "aria-label": first.message || first.call_flow },
    el("div", { class: "head" }, el("h3", {}, first.message || first.call_flow), chip), meta, steps, buttons);
  buttons.append(
    sure(say("cancel"), say("cancel_sure"), () => attempt(() => ask("POST", `${path}/cancel`, {}), say("cancelled")).then(again)),
    sure(say("take"), say("take_sure"), () => attempt(() => ask("POST", `${path}/acknowledge`, {}), say("taken_told")).then(again), { class: "" }));
  return {
    node,
    update(it) {
      const open = OPEN.includes(it.state);
      node.className = `sheet${open ? " open" : ""}`;
      chip.className = `chip ${tone(it.state)}`;
      chip.textContent = state(it.state);
      fill(meta, [it.message && it.call_flow, it.accepted_at && moment(it.accepted_at), it.alerts > 1 && say("alerts", { count: it.alerts })].filter(Boolean).join(" · "), " · ", el("code", {}, it.incident));
      fill(steps, timeline(it), qualities(it));
      buttons.hidden = !open;
    },
  };
}

function room(it) {
  return el("li", { class: "sheet", "data-room": it.room },
    el("div", { class: "head" }, el("h3", {}, it.room), it.locked && el("span", { class: "chip bad" }, say("locked"))),
    el("div", { class: "row" }, it.members.map((who) => {
      // What a muted one says is heard by nobody.
      const talks = !who.muted && talking.has(heard(it.room, who.contact));
      return el("span", { class: `chip${talks ? " talking" : ""}`, "data-member": who.member }, who.name || nameOf(who.contact),
        who.muted && el("strong", {}, say("muted")), talks && el("span", {}, say("talking")));
    })));
}

function quiet(first, again) {
  const about = SCOPE.filter((field) => first[field]).map((field) => `${field}: ${first[field]}`).join(", ");
  const until = el("p", { class: "meta" });
  return {
    node: el("li", { class: "sheet row" },
      el("div", { class: "grow" }, el("p", {}, about), until),
      sure(say("lift"), say("lift_sure"), () => attempt(() => ask("DELETE", `/v1/suppressions/${part(first.suppression)}`), say("lifted")).then(again))),
    update(it) { until.textContent = say("until", { when: moment(it.until, false), by: it.by }); },
  };
}

function trunk(it) {
  // A trunk that is there may have a way that is left alone for a while.
  const why = [!it.registered && it.code, !it.registered && it.reason].filter(Boolean).join(" ");
  const rests = it.resting.length > 0 && say("resting", { targets: it.resting.join(", ") });
  return el("li", { class: "row", "data-trunk": it.id },
    el("div", { class: "grow" },
      el("p", {}, it.id, it.target && el("span", { class: "meta" }, ` ${it.target}`)),
      (why || rests) && el("p", { class: "fault" }, [why, rests].filter(Boolean).join(" · "))),
    el("span", { class: `chip ${it.registered ? "good" : "bad"}` }, say(it.registered ? "registered" : "not_registered")),
    it.calls > 0 && el("span", { class: "chip calling" }, say("calls_up", { count: it.calls })));
}

const section = (title, ...rest) => el("section", {}, el("h2", {}, title), ...rest);

/** A form that makes one telephone ring. It stays as it is while the rest is drawn anew. */
function testCall(again) {
  const person = el("select", { id: "test-person" });
  const flow = el("select", { id: "test-flow" });
  const guidance = el("select", { id: "test-guidance" });
  const message = el("input", { id: "test-message", maxlength: 500, value: say("test_text") });
  const fault = el("p", { class: "fault", role: "alert" });
  let people = new Map();
  const choices = (select, list, first) => fill(select, el("option", { value: "" }, first), list.map((it) => el("option", { value: it.id }, it.name && it.name !== it.id ? `${it.name} (${it.id})` : it.id)));
  const load = async () => {
    try {
      const [contacts, flows, guidances] = await Promise.all([ask("GET", "/v1/contacts"), ask("GET", "/v1/call_flows"), ask("GET", "/v1/guidances")]);
      people = new Map(contacts.contacts.map((it) => [it.id, it]));
      contacts.contacts.forEach((it) => names.set(it.id, it.name || it.id));
      choices(person, contacts.contacts, say("choose"));
      choices(flow, flows.call_flows, say("choose"));
      choices(guidance, usable(guidances.guidances), say("usual"));
    } catch (why) {
      fault.textContent = why.message;
    }
  };
  const ring = sure(say("ring"), say("ring_sure"), async () => {
    fault.textContent = "";
    const wanted = { call_flow: flow.value, message: message.value, to: (people.get(person.value)?.phones || []).slice(0, 1) };
    if (guidance.value) wanted.guidance = guidance.value;
    try {
      await ask("POST", "/v1/incidents", wanted);
      tell(say("rung"));
      again();
    } catch (why) {
      fault.textContent = why.message;
    }
  }, { class: "primary", id: "test-ring" });
  const usable = () => { ring.disabled = !(person.value && flow.value); };
  [person, flow].forEach((select) => select.addEventListener("change", usable));
  usable();
  const field = (label, control) => el("div", { class: "field" }, el("label", { for: control.id }, label), control);
  const details = el("details", { class: "sheet", id: "test-call" },
    el("summary", {}, el("h3", { class: "grow" }, say("test_call"))),
    el("p", { class: "help" }, say("test_help")),
    el("div", { class: "pair" }, field(say("person"), person), field(say("call_flows"), flow), field(say("guidance"), guidance), field(say("message"), message)),
    fault, el("div", { class: "row" }, ring));
  details.addEventListener("toggle", () => { if (details.open) load(); });
  return details;
}

/** The view: `place` is drawn when it opens and whenever something happened. */
export function now(place) {
  const parts = { trouble: el("div"), open: el("section"), lately: el("section"), rooms: el("section"), quiets: el("section"), trunks: el("section") };
  const heads = { open: el("h2", {}, say("open_incidents")), lately: el("h2", {}, say("lately")), quiets: el("h2", {}, say("quiets")) };
  const calm = el("p", { class: "sheet calm" }, el("strong", {}, say("all_calm")), say("nobody_called"));
  const [quietList, no_quiets] = [el("ul", { class: "people" }), el("p", { class: "soft" }, say("no_quiets"))];
  const incidents = keeper((it) => it.incident, (it) => incident(it, () => draw()));
  const kept = keeper((it) => it.suppression, (it) => quiet(it, () => draw()));
  let rooms = [];
  const drawRooms = () => fill(parts.rooms, el("h2", {}, say("rooms")), rooms.length > 0
    ? el("ul", { class: "people" }, rooms.map(room)) : el("p", { class: "soft" }, say("nobody_inside")));
  let drawing = false;
  let once_more = false;
  let later = null;
  let over = false;
  const draw = async () => {
    if (drawing) {
      once_more = true;
      return;
    }
    drawing = true;
    try {
      const [status, quiets] = await Promise.all([ask("GET", "/v1/status"), ask("GET", "/v1/suppressions")]);
      document.getElementById("node").textContent = status.node;
      // The newest last: it is what they are called now.
      [...status.incidents].reverse().flatMap((it) => it.attempts).forEach((it) => names.set(it.contact, it.name || it.contact));
      const open = status.incidents.filter((it) => OPEN.includes(it.state) || it.attempts.some((call) => !call.ended_at));
      const since = Date.now() - LATELY;
      const lately = status.incidents.filter((it) => !open.includes(it) && Date.parse(it.ended_at || it.accepted_at) > since).slice(0, 3);
      fill(parts.trouble, status.trouble.length > 0 && section(say("trouble"), el("ul", { class: "sheet" }, status.trouble.map((it) => el("li", { class: "fault" }, it)))));
      const nodes = incidents([...open, ...lately]);
      const of = (list) => nodes.filter((node) => list.some((it) => it.incident === node.dataset.incident));
      settle(parts.open, heads.open, open.length > 0 ? of(open) : calm);
      settle(parts.lately, lately.length > 0 && [heads.lately, of(lately)]);
      rooms = status.rooms;
      // Somebody may have begun to talk before this page was there.
      rooms.forEach((it) => it.members.forEach((who) => talking[who.talking ? "add" : "delete"](heard(it.room, who.contact))));
      drawRooms();
      clearTimeout(later);
      if (open.some((it) => it.attempts.some((call) => call.answered_at && !call.ended_at)) && !over) later = setTimeout(draw, LOOK_AGAIN);
      settle(quietList, kept(quiets.suppressions));
      settle(parts.quiets, heads.quiets, quiets.suppressions.length > 0 ? quietList : no_quiets);
      fill(parts.trunks, el("h2", {}, say("trunks")), el("ul", { class: "sheet" }, status.trunks.map(trunk)));
    } catch (why) {
      tell(why.message);
    } finally {
      drawing = false;
      if (once_more) {
        once_more = false;
        draw();
      }
    }
  };
  fill(place, parts.trouble, parts.open, parts.lately, parts.rooms, parts.quiets, parts.trunks, testCall(draw));
  draw();
  let soon = null;
  return {
    /** Something happened. */
    told(event) {
      if (event.event === "room.talking") {
        talking[event.talking ? "add" : "delete"](heard(event.room, event.contact));
        drawRooms();
        return;
      }
      if (event.event === "room.left") talking.delete(heard(event.room, event.contact));
      if (event.name) names.set(event.contact, event.name);
      soon ??= setTimeout(() => { soon = null; draw(); }, 200);
    },
    again: draw,
    end() {
      clearTimeout(soon);
      clearTimeout(later);
      over = true;
    },
  };
}
