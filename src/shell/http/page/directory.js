// The view of the directory: contacts, rosters, call flows, guidances; those of the file are shown, the others changed.

import { ask, part } from "./api.js";
import { el, fill, sure, tell } from "./dom.js";
import { area, choice, complain, flag, menu, order, text } from "./form.js";
import { say } from "./words.js";

const KINDS = ["contacts", "rosters", "guidances", "call_flows"];
const LANGUAGES = [["ja", "日本語"], ["en", "English"]];
const ids = (list) => list.map((it) => [it.id, it.name && it.name !== it.id ? `${it.name} (${it.id})` : it.id]);
const duration = (key) => text(key, say(key), { help: say("duration_help") });

/** Guidances that are there in any case, and those of the list. */
export const usable = (list) => [
  ...["default", "alert", "azure"].filter((id) => !list.some((it) => it.id === id)).map((id) => ({ id })),
  ...list,
];

/** The fields of each kind; `all` holds every list. */
const FIELDS = {
  contacts: () => [
    text("name", say("name")),
    area("phones", say("phones"), { help: say("phones_help"), lines: true }),
    choice("language", say("language"), LANGUAGES),
    area("hours", say("hours"), { help: say("hours_help"), lines: true }),
    choice("holidays", say("holidays"), [["japan", say("japan")], ["none", say("none")]]),
    text("time_zone", say("time_zone"), { help: say("time_zone_help") }),
    text("sms", say("sms")),
  ],
  rosters: (all) => [order("contacts", say("people"), all.contacts.filter((it) => !it.in_list))],
  guidances: () => [
    area("message", say("message_ja"), { help: say("message_help"), inner: "ja" }),
    area("message", say("message_en"), { help: say("message_help"), inner: "en" }),
    area("parameters", say("parameters"), { help: say("parameters_help"), lines: true, rows: 2 }),
    menu("keys", say("keys")),
    duration("first_key_timeout"),
    duration("inter_key_timeout"),
    text("readings", say("readings"), { number: true }),
    text("repeats", say("repeats"), { number: true }),
    duration("voice_before_dialling"),
    text("room", say("room")),
    flag("challenge", say("challenge")),
    flag("explains_keys", say("explains_keys")),
  ],
  call_flows: (all) => [
    choice("roster", say("roster"), ids(all.rosters), { required: true }),
    choice("guidance", say("guidance"), ids(usable(all.guidances))),
    choice("strategy", say("strategy"), ["sequential", "shuffled", "simultaneous"].map((it) => [it, say(it)])),
    choice("answer", say("answer"), ["one", "all"].map((it) => [it, say(it)])),
    text("rounds", say("rounds"), { number: true }),
    duration("ring_timeout"),
    duration("between_rounds"),
    choice("then", say("then"), ids(all.call_flows)),
    duration("bundle"),
    duration("taken_for"),
  ],
};

/** What is told of an object in its list. */
function summary(kind, it) {
  if (kind === "contacts") return (it.phones || []).join(", ");
  if (kind === "rosters") return (it.contacts || []).join(" → ");
  if (kind === "call_flows") return [it.roster, it.strategy && say(it.strategy), it.guidance].filter(Boolean).join(" · ");
  return Object.entries(it.keys || {}).map(([digit, key]) => `${digit}: ${say(`do_${key.do}`)}`).join(", ");
}

function card(kind, it, open) {
  const own = it.origin === "service";
  return el("li", { class: "sheet row", "data-id": it.id },
    el("div", { class: "grow" },
      el("h3", {}, it.name || it.id),
      el("p", { class: "meta" }, it.name && it.name !== it.id && el("code", {}, it.id, " "), summary(kind, it)),
      it.left_out && el("p", { class: "fault" }, say("left_out", { why: it.left_out }))),
    !own && el("span", { class: "chip" }, say("of_file")),
    el("button", { type: "button", "aria-label": `${say(own ? "edit" : "show")}: ${it.name || it.id}`, onclick: () => open(it) }, say(own ? "edit" : "show")));
}

/** The form of one object; `it` is null for a new one. */
function form(kind, it, all, back) {
  const locked = it !== null && it.origin === "file";
  const object = it || {};
  const id = text("id", say("id"), { help: say("id_help"), required: true });
  const fields = [id, ...FIELDS[kind](all)];
  fields.forEach((field) => {
    field.read(object);
    if (locked) field.lock();
  });
  if (it !== null) id.lock();
  const fault = el("p", { class: "fault", role: "alert" });
  const refused = (why) => {
    fault.textContent = why.fields?.length ? complain(fields, why.fields) : why.message;
  };
  const made = el("form", { class: "sheet", novalidate: true, "data-form": kind },
    el("h2", {}, it === null ? say(`add_${kind}`) : it.name || it.id),
    locked && el("p", { class: "help" }, say("of_file_help")),
    el("div", { class: "pair" }, fields.map((field) => field.node)),
    fault,
    el("div", { class: "row" },
      !locked && el("button", { type: "submit", class: "primary" }, say("save")),
      el("button", { type: "button", onclick: () => back() }, say("back")),
      it !== null && !locked && sure(say("remove"), say("remove_sure"), async () => {
        try {
          await ask("DELETE", `/v1/${kind}/${part(it.id)}`);
          tell(say("removed", { id: it.id }));
          back();
        } catch (why) {
          refused(why);
        }
      })));
  made.addEventListener("submit", async (event) => {
    event.preventDefault();
    fault.textContent = "";
    const wanted = { ...object };
    ["origin", "left_out", "in_list"].forEach((name) => delete wanted[name]);
    fields.forEach((field) => field.write(wanted));
    if (!wanted.id) return refused({ fields: [{ field: "id", found: say("id_help"), accepted: "" }] });
    try {
      await ask("PUT", `/v1/${kind}/${part(wanted.id)}`, wanted);
      tell(say("saved", { id: wanted.id }));
      back();
    } catch (why) {
      refused(why);
    }
  });
  return made;
}

/** The view. */
export function directory(place) {
  let kind = KINDS[0];
  const tabs = el("div", { class: "tabs", role: "group", "aria-label": say("directory") });
  const list = el("section");
  const load = async () => Object.fromEntries(await Promise.all(KINDS.map(async (one) => [one, (await ask("GET", `/v1/${one}`))[one]])));
  // What is shown may change while the lists are fetched: a form that was opened meanwhile stays.
  let turn = 0;
  const draw = async () => {
    const mine = ++turn;
    fill(tabs, KINDS.map((one) => el("button", { type: "button", "data-kind": one, "aria-current": one === kind ? "page" : null, onclick: () => { kind = one; draw(); } }, say(one))));
    try {
      const all = await load();
      if (mine !== turn) return;
      const open = (it) => {
        turn += 1;
        fill(list, form(kind, it, all, draw));
        scrollTo(0, 0);
        list.querySelector("input:not([readonly]), textarea, select, button")?.focus();
      };
      scrollTo(0, 0);
      fill(list,
        el("div", { class: "head" }, el("h2", {}, say(kind)), el("button", { type: "button", class: "primary", "data-add": kind, onclick: () => open(null) }, say(`add_${kind}`))),
        all[kind].length > 0 ? el("ul", { class: "people" }, all[kind].map((it) => card(kind, it, open))) : el("p", { class: "soft" }, say("none_yet")));
    } catch (why) {
      tell(why.message);
    }
  };
  fill(place, tabs, list);
  draw();
  // A form that somebody is in the middle of is not drawn anew because something happened elsewhere.
  return { told() {}, again() {}, end() {} };
}
