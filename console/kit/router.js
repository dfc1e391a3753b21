/** The address is the state: pages, filters and moments are in it, so that a link shows what its sender saw. */

import { address, readAddress } from "../core/addresses.js";
import { base } from "./session.js";
import { Store, useStore } from "./store.js";

/** @type {Store<import("../core/addresses.js").Address>} */
export const here = new Store(/** @type {any} */ ({ path: "", query: {} }));

const read = () => here.set(readAddress(location.pathname + location.search, base()));

/** Follow the address from now on. Links inside the console do not load the page again. */
export function beginRouting() {
  read();
  addEventListener("popstate", read);
  document.addEventListener("click", (event) => {
    const link = /** @type {Element} */ (event.target).closest?.("a[href]");
    if (!link || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || link.hasAttribute("target")) return;
    const url = new URL(/** @type {HTMLAnchorElement} */ (link).href);
    if (url.origin !== location.origin || !url.pathname.startsWith(base())) return;
    event.preventDefault();
    go(url.pathname.slice(base().length) + url.search);
  });
}

/** Open an address of the console. @param {string} to @param {{replace?: boolean}} [options] */
export function go(to, { replace = false } = {}) {
  const url = base() + to;
  if (url === location.pathname + location.search) return;
  history[replace ? "replaceState" : "pushState"](null, "", url);
  const before = here.value.path;
  read();
  if (here.value.path !== before) scrollTo(0, 0);
}

/**
 * Change filters of the current page; empty ones are removed.
 * @param {Record<string, any>} changes
 */
export function setQuery(changes, replace = true) {
  go(address(here.value.path, { ...here.value.query, ...changes }), { replace });
}

export const useHere = () => useStore(here);

export { address };
