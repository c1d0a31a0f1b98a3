// Elements, made of data. What came from outside is only ever text: nothing here takes markup.

/**
 * An element: `el("p", { class: "soft" }, "text", child, …)`. A function under `on…` listens, `true` sets an empty
 * attribute, and what is null, undefined or false is left out.
 */
export function el(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") made.addEventListener(key.slice(2), value);
    else made.setAttribute(key, value === true ? "" : String(value));
  }
  made.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false).map(
    (child) => (child instanceof Node ? child : document.createTextNode(String(child))),
  ));
  return made;
}

/** Puts these in the place of everything inside. */
export function fill(place, ...children) {
  place.replaceChildren(...children.flat(Infinity).filter(Boolean));
}

/**
 * The same, where what stands there already is left alone: what somebody is about to press, or reads aloud, is not taken
 * away because something else changed.
 */
export function settle(place, ...children) {
  const wanted = children.flat(Infinity).filter(Boolean);
  for (const node of [...place.childNodes]) if (!wanted.includes(node)) node.remove();
  wanted.forEach((node, at) => {
    if (place.childNodes[at] !== node) place.insertBefore(node, place.childNodes[at] || null);
  });
}

/** One node an item, made once and brought up to date: `make(item)` gives `{node, update(item)}`. */
export function keeper(key, make) {
  let known = new Map();
  return (items) => {
    const next = new Map(items.map((it) => [key(it), known.get(key(it)) || make(it)]));
    items.forEach((it) => next.get(key(it)).update(it));
    known = next;
    return items.map((it) => known.get(key(it)).node);
  };
}

/** A button that asks once more before it does something that cannot be undone. */
export function sure(text, again, act, attributes = {}) {
  const button = el("button", { type: "button", class: "danger", ...attributes }, text);
  let armed = null;
  const rest = () => {
    clearTimeout(armed);
    armed = null;
    button.textContent = text;
    button.classList.remove("sure");
  };
  button.addEventListener("blur", rest);
  button.addEventListener("click", async () => {
    if (armed === null) {
      button.textContent = again;
      button.classList.add("sure");
      armed = setTimeout(rest, 6000);
      return;
    }
    rest();
    button.disabled = true;
    try {
      await act();
    } finally {
      button.disabled = false;
    }
  });
  return button;
}

let timer = null;

/** Says something at the foot of the page, for eyes and for screen readers. */
export function tell(text) {
  const told = document.getElementById("told");
  told.textContent = text;
  clearTimeout(timer);
  timer = setTimeout(() => { told.textContent = ""; }, 6000);
}
