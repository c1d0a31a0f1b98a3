// What was said in SIP for one incident, and the same as a file; asked for when somebody opens it.

import { ask, fetched, part } from "./api.js";
import { el, fill, tell } from "./dom.js";
import { moment, say } from "./words.js";

const micros = (at) => Date.parse(at) * 1000 + Number(at.slice(-4, -1));

/** One message, and below it what it tells. */
function line(message, began) {
  const since = ((micros(message.at[0]) - began) / 1e6).toFixed(3);
  const what = message.method || message.nonsense || `${message.code} ${message.reason}`;
  const copies = message.at.length > 1 ? ` x${message.at.length}` : "";
  const arrow = message.sent ? "→" : "←";
  const first = `${`+${since}`.padStart(10)}  ${arrow} ${message.transport} ${message.remote}  ${what}${message.sdp ? " (SDP)" : ""}${copies}  ${message.cseq}`;
  return [first, ...message.headers.map((header) => `${" ".repeat(14)}${header.name}: ${header.value}`)];
}

function call(ladder) {
  const lines = [];
  ladder.messages.forEach((message, place) => {
    const before = place > 0 ? ladder.messages[place - 1].place : -1;
    if (ladder.gap && before < ladder.gap.after && message.place >= ladder.gap.after) lines.push(`${" ".repeat(12)}… ${ladder.gap.missing} …`);
    lines.push(...line(message, micros(ladder.messages[0].at[0])));
  });
  const began = ladder.messages.length > 0 && moment(ladder.messages[0].at[0]);
  return [
    el("p", { class: "meta" }, `${ladder.attempt} · ${ladder.name} · ${ladder.phone} · `, began, " · ", el("code", {}, ladder.call_id)),
    el("pre", { class: "ladder", tabindex: "0" }, lines.join("\n")),
  ];
}

async function save(path) {
  const link = URL.createObjectURL(await fetched(`${path}.pcap`));
  el("a", { href: link, download: "ladder.pcap" }).click();
  setTimeout(() => URL.revokeObjectURL(link), 10000);
}

/** The ladders of an incident, closed. */
export function ladders(incident) {
  const path = `/v1/incidents/${part(incident)}/ladder`;
  const inside = el("div");
  const shown = async (act) => {
    try {
      await act();
    } catch (why) {
      tell(why.message);
    }
  };
  const details = el("details", { class: "ladders" }, el("summary", {}, say("ladder")), inside);
  details.addEventListener("toggle", () => details.open && shown(async () => {
    const all = (await ask("GET", path)).ladders;
    fill(inside, all.length > 0 ? all.map(call) : el("p", { class: "soft" }, say("none_yet")),
      el("button", { type: "button", onclick: () => shown(() => save(path)) }, say("save_pcap")));
  }));
  return details;
}
