// The page: a token opens it, three views show what the daemon says, and one stream tells when something happened.

import { ask, follow, token } from "./api.js";
import { now } from "./now.js";
import { past } from "./past.js";
import { directory } from "./directory.js";
import { language, say } from "./words.js";

const VIEWS = { now, past, directory };
const at = (id) => document.getElementById(id);
let view = null;
let stream = null;

document.documentElement.lang = language;
for (const place of document.querySelectorAll("[data-say]")) place.textContent = say(place.dataset.say);
for (const place of document.querySelectorAll("[data-label]")) place.setAttribute("aria-label", say(place.dataset.label));

function show(name) {
  view?.end();
  const place = at("view");
  place.replaceChildren();
  scrollTo(0, 0);
  for (const button of document.querySelectorAll("[data-view]")) {
    if (button.dataset.view === name) button.setAttribute("aria-current", "page");
    else button.removeAttribute("aria-current");
  }
  view = VIEWS[name](place);
}

function stands(up) {
  const link = at("link");
  link.classList.toggle("live", up);
  link.textContent = say(up ? "live" : "away");
  // What happened meanwhile was told to nobody.
  if (up) view?.again(true);
}

function open() {
  at("door").hidden = true;
  at("house").hidden = false;
  stream = new AbortController();
  stands(false);
  show("now");
  follow({ told: (event) => view?.told(event), stands, denied: (why) => close(say("denied", { why: why.message })), signal: stream.signal });
}

function close(why = "") {
  stream?.abort();
  view?.end();
  stream = view = null;
  token.clear();
  at("view").replaceChildren();
  at("house").hidden = true;
  at("door").hidden = false;
  at("door-error").textContent = why;
  at("token").value = "";
  at("token").focus();
}

async function enter(text) {
  token.set(text);
  try {
    await ask("GET", "/v1/status");
    open();
  } catch (why) {
    close(say(why.status ? "denied" : "not_reached", { why: why.message }));
  }
}

at("door-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = at("token").value.trim();
  if (text) enter(text);
});
at("leave").addEventListener("click", () => close());
for (const button of document.querySelectorAll("[data-view]")) button.addEventListener("click", () => show(button.dataset.view));

if (token.get()) enter(token.get());
else close();
