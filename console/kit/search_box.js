/**
 * The one search box: it says what it takes a text for before anything is asked. Personal data never goes into an
 * address.
 */

import { address } from "../core/addresses.js";
import { understand } from "../core/search.js";
import { Icon } from "./icons.js";
import { go, here } from "./router.js";
import { may, me } from "./session.js";
import { settings } from "./settings.js";
import { Store, useStore } from "./store.js";
import { classes, html, memo, useEffect, useId, useMemo, useRef, useState } from "./view.js";

/** What was searched by last that may not stand in an address. @type {Store<Record<string, string> | null>} */
export const personalSearch = new Store(/** @type {Record<string, string> | null} */ (null));

/** @typedef {import("../core/search.js").Understood} Understood */

/**
 * What else the last text may mean, and the address of what it was taken for.
 * @type {Store<{at: string, meanings: Understood[]}>}
 */
const otherMeanings = new Store({ at: "", meanings: /** @type {Understood[]} */ ([]) });

/** @param {Understood} found @param {Understood[]} meanings all that the text may mean */
function open(found, meanings) {
  const at = addressOf(found);
  otherMeanings.set({ at, meanings: meanings.filter((each) => each !== found) });
  if (!found.order && !found.events) personalSearch.set(found.personal ?? null);
  go(at);
}

/** @param {Understood} found */
function addressOf(found) {
  if (found.order) return `orders/${found.order}`;
  if (found.events) return address("events", found.events);
  return address("orders", found.personal ? { found_by: Object.keys(found.personal)[0] } : found.filters);
}

/** Offer what else the text may mean, on a page that found nothing by its likeliest meaning. */
export function OtherMeanings() {
  const { at, meanings } = useStore(otherMeanings);
  const { path, query } = useStore(here);
  if (at !== address(path, query) || !meanings.length) return null;
  return html`<div class="empty">
    <p>Or was this meant?</p>
    <p class="meanings">
      ${meanings.map((each) => html`<button type="button" onClick=${() => open(each, [each, ...meanings])}>
        <bdi>${each.label}</bdi>
      </button>`)}
    </p>
  </div>`;
}

/** Pixels that the longer hint needs. */
const HINT = 196;

export const SearchBox = memo(() => {
  const [text, type] = useState("");
  const [at, move] = useState(0);
  const [active, focus] = useState(false);
  const id = useId();
  const box = useRef(/** @type {HTMLInputElement | null} */ (null));
  const [roomy, fit] = useState(true);
  useEffect(() => {
    const watch = new ResizeObserver(([{ contentRect }]) => fit(contentRect.width >= HINT));
    watch.observe(/** @type {HTMLInputElement} */ (box.current));
    return () => watch.disconnect();
  }, []);
  const { zone } = useStore(settings);
  const found = useMemo(
    () =>
      understand(text, new Date(), "EUR", zone).filter((each) =>
        each.filters?.restaurant_name && me.value?.role === "restaurant"
          ? false
          : each.personal
            ? may("search_personal")
            : each.events
              ? may("list_events")
              : true,
      ),
    [text, zone],
  );
  const shown = active && found.length > 0;
  const choose = (/** @type {Understood} */ each) => {
    type("");
    focus(false);
    open(each, found);
    document.getElementById("search")?.blur();
  };
  const keys = (/** @type {KeyboardEvent} */ event) => {
    if (event.key === "ArrowDown") move(Math.min(at + 1, found.length - 1));
    else if (event.key === "ArrowUp") move(Math.max(at - 1, 0));
    else if (event.key === "Escape") return (type(""), /** @type {any} */ (event.target).blur());
    else if (event.key === "Enter" && found[at]) choose(found[at]);
    else return;
    event.preventDefault();
  };
  return html`<form class="search" role="search" onSubmit=${(/** @type {Event} */ e) => e.preventDefault()}>
    <${Icon} name="search" />
    <input
      id="search"
      ref=${box}
      type="text"
      role="combobox"
      aria-label="Search orders"
      aria-expanded=${shown}
      aria-controls=${id}
      aria-autocomplete="list"
      aria-activedescendant=${shown ? `${id}-${at}` : undefined}
      autocomplete="off"
      spellcheck=${false}
      dir="auto"
      value=${text}
      placeholder=${roomy ? "Order, name, phone, amount" : "Search orders"}
      onInput=${(/** @type {any} */ e) => (type(e.target.value), move(0))}
      onFocus=${() => focus(true)}
      onBlur=${() => focus(false)}
      onKeyDown=${keys}
    />
    <kbd aria-hidden="true">/</kbd>
    <ul id=${id} role="listbox" aria-label="What the text may mean" hidden=${!shown}>
      ${found.map((each, index) => html`<li
        id=${`${id}-${index}`}
        role="option"
        aria-selected=${index === at}
        class=${classes(index === at && "on")}
        onMouseDown=${() => choose(each)}
      >
        <bdi>${each.label}</bdi>
      </li>`)}
    </ul>
  </form>`;
});
