// Forms of the directory. A field knows its key in the object; what the daemon complains about stands beside the field
// it is about. Keys that no field shows stay as they were.

import { el, fill } from "./dom.js";
import { say } from "./words.js";

let count = 0;

/** What every field shares: its label, its help, and the place for what is wrong. */
function field(key, label, control, { help, check } = {}) {
  const id = `f${++count}`;
  control.id = id;
  control.dataset.key = key;
  const fault = el("p", { class: "fault", id: `${id}-fault`, role: "alert" });
  const told = help && el("p", { class: "help", id: `${id}-help` }, help);
  control.setAttribute("aria-describedby", `${told ? `${id}-help ` : ""}${id}-fault`);
  const name = el("label", { for: id }, label);
  const parts = check ? [control, name] : [name, control];
  return {
    key,
    node: el("div", { class: `field${check ? " check" : ""}` }, ...parts, told, fault),
    complain(text) {
      fault.textContent = text;
      if (text) control.setAttribute("aria-invalid", "true");
      else control.removeAttribute("aria-invalid");
    },
    focus: () => control.focus(),
  };
}

/** One line of text. */
export function text(key, label, { help, placeholder, required, number } = {}) {
  const input = el("input", { type: "text", autocomplete: "off", autocapitalize: "off", spellcheck: "false", placeholder, required, inputmode: number ? "numeric" : null });
  const made = field(key, label, input, { help });
  made.read = (object) => { input.value = object[key] ?? ""; };
  made.write = (object) => {
    const value = input.value.trim();
    if (!value) delete object[key];
    else object[key] = number && /^\d{1,9}$/.test(value) ? Number(value) : value;
  };
  made.lock = () => { input.readOnly = true; };
  return made;
}

/** Several lines of text; with `lines`, a list of them. `inner` is the key inside `key`. */
export function area(key, label, { help, lines, inner, rows = 3 } = {}) {
  const input = el("textarea", { rows, spellcheck: "false", autocapitalize: "off" });
  const made = field(inner ? `${key}.${inner}` : key, label, input, { help });
  made.read = (object) => {
    const value = inner ? object[key]?.[inner] : object[key];
    input.value = Array.isArray(value) ? value.join("\n") : value ?? "";
  };
  made.write = (object) => {
    const value = input.value.trim();
    if (inner) {
      const all = { ...object[key] };
      if (value) all[inner] = value;
      else delete all[inner];
      if (Object.keys(all).length > 0) object[key] = all;
      else delete object[key];
    } else if (!value) delete object[key];
    else if (lines && value !== "always") object[key] = value.split("\n").map((line) => line.trim()).filter(Boolean);
    else object[key] = value;
  };
  made.lock = () => { input.readOnly = true; };
  return made;
}

/** One of a few: `[[value, word], …]`. */
export function choice(key, label, choices, { help, required } = {}) {
  const select = el("select", {}, el("option", { value: "" }, required ? say("choose") : say("usual")));
  select.append(...choices.map(([value, word]) => el("option", { value }, word)));
  const made = field(key, label, select, { help });
  made.read = (object) => {
    const value = object[key] ?? "";
    if (value && !choices.some(([known]) => known === value)) select.append(el("option", { value }, value));
    select.value = value;
  };
  made.write = (object) => {
    if (select.value) object[key] = select.value;
    else delete object[key];
  };
  made.lock = () => { select.disabled = true; };
  return made;
}

/** Yes or no. */
export function flag(key, label) {
  const input = el("input", { type: "checkbox" });
  const made = field(key, label, input, { check: true });
  made.read = (object) => { input.checked = object[key] === true; };
  made.write = (object) => {
    if (input.checked) object[key] = true;
    else delete object[key];
  };
  made.lock = () => { input.disabled = true; };
  return made;
}

/** People in an order. `people` are `{id, name}`. */
export function order(key, label, people) {
  const list = el("ol", { class: "people" });
  const select = el("select", { "aria-label": say("person") });
  const add = el("button", { type: "button" }, say("add_person"));
  const box = el("div", { class: "people", tabindex: -1 }, list, el("div", { class: "row" }, el("span", { class: "grow" }, select), add));
  const made = field(key, label, box);
  let chosen = [];
  let locked = false;
  const name = (id) => people.find((it) => it.id === id)?.name || id;
  const draw = () => {
    fill(list, chosen.map((id, place) => {
      const move = (by) => {
        chosen.splice(place, 1);
        chosen.splice(place + by, 0, id);
        draw();
        list.children[place + by]?.querySelector("button:not(:disabled)")?.focus();
      };
      const button = (sign, label, act, off) => el("button", { type: "button", class: "small quiet", "aria-label": say(label, { who: name(id) }), disabled: off, onclick: act }, sign);
      return el("li", {}, el("span", { class: "grow" }, name(id), name(id) !== id && el("span", { class: "meta" }, ` ${id}`)),
        !locked && [button("↑", "up", () => move(-1), place === 0), button("↓", "down", () => move(1), place === chosen.length - 1),
          button("✕", "take_out", () => { chosen.splice(place, 1); draw(); select.focus(); })]);
    }));
    const left = people.filter((it) => !chosen.includes(it.id));
    fill(select, el("option", { value: "" }, say("choose")), left.map((it) => el("option", { value: it.id }, it.name && it.name !== it.id ? `${it.name} (${it.id})` : it.id)));
    add.disabled = true;
  };
  select.addEventListener("change", () => { add.disabled = !select.value; });
  add.addEventListener("click", () => { if (select.value) chosen.push(select.value); draw(); select.focus(); });
  made.read = (object) => { chosen = [...(object[key] || [])]; draw(); };
  made.write = (object) => { object[key] = chosen; };
  made.lock = () => { locked = true; add.hidden = select.hidden = true; draw(); };
  return made;
}

const DIGITS = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "0", "*", "#"];
const DOES = ["take", "next", "leave", "quiet", "join", "repeat"];

/** The key menu. */
export function menu(key, label) {
  const list = el("ol", { class: "keys" });
  const add = el("button", { type: "button" }, say("add_key"));
  const box = el("div", { class: "keys", tabindex: -1 }, list, el("div", {}, add));
  const made = field(key, label, box);
  let keys = [];
  let locked = false;
  const draw = () => {
    fill(list, keys.map((it, place) => {
      const digit = el("select", { "aria-label": say("key"), disabled: locked }, DIGITS.map((one) => el("option", { value: one }, one)));
      digit.value = it.digit;
      digit.addEventListener("change", () => { it.digit = digit.value; });
      const does = el("select", { "aria-label": say("does"), disabled: locked }, DOES.map((one) => el("option", { value: one }, say(`do_${one}`))));
      does.value = it.does;
      does.addEventListener("change", () => { it.does = does.value; });
      const says = el("input", { type: "text", "aria-label": say("says"), placeholder: say("says"), readonly: locked });
      says.value = it.says;
      says.addEventListener("input", () => { it.says = says.value; });
      return el("li", {}, digit, does, says, !locked && el("button", { type: "button", class: "small quiet", "aria-label": say("take_key_out", { digit: it.digit }), onclick: () => { keys.splice(place, 1); draw(); add.focus(); } }, "✕"));
    }));
    add.disabled = keys.length >= DIGITS.length;
  };
  add.addEventListener("click", () => {
    const digit = DIGITS.find((one) => !keys.some((it) => it.digit === one));
    keys.push({ digit, does: DOES[Math.min(keys.length, 1)], says: "", rest: {} });
    draw();
    list.lastElementChild.querySelector("select").focus();
  });
  made.read = (object) => {
    keys = Object.entries(object[key] || {}).map(([digit, { do: does, say: says, ...rest }]) => ({ digit, does, says: says || "", rest }));
    draw();
  };
  made.write = (object) => {
    if (keys.length === 0) {
      delete object[key];
      return;
    }
    object[key] = Object.fromEntries(keys.map((it) => [it.digit, { ...it.rest, do: it.does, ...(it.says.trim() ? { say: it.says.trim() } : {}) }]));
  };
  made.lock = () => { locked = true; add.hidden = true; draw(); };
  return made;
}

/** Puts what the daemon complained about beside the fields; gives what belongs to none. */
export function complain(fields, faults) {
  fields.forEach((it) => it.complain(""));
  const rest = [];
  const texts = new Map();
  for (const fault of faults) {
    const words = fault.accepted ? say("accepted", fault) : fault.found;
    const of = fields.find((it) => fault.field === it.key) || fields.find((it) => fault.field.startsWith(`${it.key}[`) || fault.field.startsWith(`${it.key}.`));
    const where = fault.field && fault.field !== of?.key ? `${fault.field}: ` : "";
    if (of) texts.set(of, [...(texts.get(of) || []), where + words]);
    else rest.push(where + words);
  }
  for (const [of, lines] of texts) of.complain(lines.join("\n"));
  fields.find((it) => texts.has(it))?.focus();
  return rest.join("\n");
}
