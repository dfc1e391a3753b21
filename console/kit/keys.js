/** Keys that work everywhere. A page adds its own with `useKeys`; none acts while somebody types. */

import { useEffect, useRef } from "./view.js";

/** Keys and what they do; where several are named, each does it. */
export const KEYS = /** @type {[string, string][]} */ ([
  ["/", "search"],
  ["j or ↓", "next row or event"],
  ["k or ↑", "previous row or event"],
  ["Enter", "open the row"],
  ["x", "in the list of orders: choose the row"],
  ["[ or ←", "on an order: one event back"],
  ["] or →", "on an order: one event forward"],
  ["l", "on an order: back to live"],
  ["p", "pause and resume live updates"],
  ["?", "this list"],
  ["Esc", "close"],
]);

/** Pages by the key after `g`. @type {Record<string, string>} */
export const PLACES = {
  h: "", o: "orders", i: "incidents", a: "approvals", e: "events", c: "circuits", m: "money", w: "webhooks", v: "views",
  u: "audit", t: "tickets", d: "deliveries",
};
let goes = false;

/** Whether keys belong to what has the focus; a checkbox takes only the space bar. @param {Element | null} element */
const isTyping = (element) =>
  Boolean(element?.closest("input:not([type=checkbox]), textarea, select, dialog[open], [contenteditable]"));

/** @param {Record<string, (event: KeyboardEvent) => void>} actions by `key` of the event */
export function useKeys(actions) {
  const latest = useRef(actions);
  latest.current = actions;
  useEffect(() => {
    const pressed = (/** @type {KeyboardEvent} */ event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(document.activeElement)) return;
      const action = latest.current[event.key];
      if (!action || goes) return;
      event.preventDefault();
      action(event);
    };
    addEventListener("keydown", pressed);
    return () => removeEventListener("keydown", pressed);
  }, []);
}

/** @param {{search: () => void, help: () => void, open: (place: string) => void}} actions */
export function beginKeys({ search, help, open }) {
  addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key === "k") return event.preventDefault(), search();
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(document.activeElement)) return;
    if (goes) {
      goes = false;
      if (event.key in PLACES) open(PLACES[event.key]);
      return event.preventDefault();
    }
    if (event.key === "g") goes = true;
    else if (event.key === "/") event.preventDefault(), search();
    else if (event.key === "?") event.preventDefault(), help();
    else if (["j", "k", "ArrowDown", "ArrowUp"].includes(event.key)) moveRow(event);
  });
}

/** Move the focus to the next or previous link of a row. @param {KeyboardEvent} event */
function moveRow(event) {
  const rows = /** @type {HTMLElement[]} */ ([...document.querySelectorAll("main [data-row]")]);
  if (!rows.length || event.defaultPrevented) return;
  const step = event.key === "j" || event.key === "ArrowDown" ? 1 : -1;
  const focused = document.activeElement;
  // a button of a row counts as the row
  const at = rows.findIndex((row) => row === focused || row.closest("tr")?.contains(focused));
  const to = rows[at < 0 ? (step > 0 ? 0 : rows.length - 1) : at + step];
  if (!to) return;
  event.preventDefault();
  to.focus({ preventScroll: true });
  to.scrollIntoView({ block: "nearest" });
}
