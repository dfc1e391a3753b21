/** The address is the state: pages, filters and moments are in it, so that a link shows what its sender saw. */

import { address, readAddress } from "../core/addresses.js";
import { base } from "./session.js";
import { Store, useStore } from "./store.js";

/** @type {Store<import("../core/addresses.js").Address>} */
export const here = new Store(/** @type {any} */ ({ path: "", query: {} }));

/** How often a link to the page that is shown was followed: the page is then read anew. @type {Store<number>} */
export const visits = new Store(0);

/**
 * A slider changes the address at every step. Browsers ignore some of that, and read the page's icon again at each: it
 * is written once it rests.
 */
const REST_MS = 150;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let writing;

const read = () => (forget(), here.set(readAddress(location.pathname + location.search, base())));

function forget() {
  clearTimeout(writing);
  writing = undefined;
}

/** Put what `here` holds into the address. */
function write() {
  forget();
  const url = base() + address(here.value.path, here.value.query);
  if (url !== location.pathname + location.search) history.replaceState(null, "", url);
}

/** Follow the address from now on. Links inside the console do not load the page again. */
export function beginRouting() {
  read();
  addEventListener("popstate", read);
  document.addEventListener("click", (event) => {
    const link = /** @type {Element} */ (event.target).closest?.("a[href]");
    if (
      !link ||
      event.defaultPrevented ||
      event.button ||
      event.metaKey ||
      event.ctrlKey ||
      event.shiftKey ||
      link.hasAttribute("target")
    )
      return;
    const url = new URL(/** @type {HTMLAnchorElement} */ (link).href);
    if (url.origin !== location.origin || !url.pathname.startsWith(base())) return;
    event.preventDefault();
    go(url.pathname.slice(base().length) + url.search);
  });
}

/** Open an address of the console. @param {string} to @param {{replace?: boolean}} [options] */
export function go(to, { replace = false } = {}) {
  if (writing) write();
  const url = base() + to;
  if (url === location.pathname + location.search) return void (replace || visits.set(visits.value + 1));
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
  const { path, query } = here.value;
  const to = address(path, { ...query, ...changes });
  if (to === address(path, query)) return;
  if (!replace) return go(to);
  here.set(readAddress(base() + to, base()));
  clearTimeout(writing);
  writing = setTimeout(write, REST_MS);
}

export const useHere = () => useStore(here);

export { address };
