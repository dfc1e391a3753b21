/**
 * The console: its frame, its pages, and the login before them. Each page is a module that is loaded when it is opened.
 */

import { findPage } from "./core/addresses.js";
import { loadModule, online, useLoaded } from "./kit/api.js";
import { KEYS, PLACES, beginKeys } from "./kit/keys.js";
import { Dialog } from "./kit/dialog.js";
import { Trouble } from "./kit/parts.js";
import { beginRouting, go, here, useHere, visits } from "./kit/router.js";
import { Logo } from "./kit/icons.js";
import { SearchBox } from "./kit/search_box.js";
import { begin, currentConfig, loginNotice, logOut, may, me } from "./kit/session.js";
import { settings } from "./kit/settings.js";
import { SettingsDialog } from "./kit/settings_dialog.js";
import { liveState } from "./kit/live.js";
import { useStore } from "./kit/store.js";
import { Component, classes, html, memo, render, showCurrent, useEffect, useState } from "./kit/view.js";
import { Login } from "./pages/login.js";

/** @typedef {{title: string, module: string, needs: string, roles?: string[]}} Page */

/**
 * By address. A role that may not do what `needs` names does not see the page; `roles` are those whose navigation has
 * it.
 * @type {[string, Page][]}
 */
const PAGES = [
  [
    "",
    {
      title: "Home",
      module: import.meta.resolve("./pages/home.js"),
      needs: "read_statistics",
      roles: ["support", "auditor", "service"],
    },
  ],
  ["orders", { title: "Orders", module: import.meta.resolve("./pages/orders.js"), needs: "read" }],
  ["orders/:id", { title: "Order", module: import.meta.resolve("./pages/order.js"), needs: "read" }],
  ["incidents", { title: "Incidents", module: import.meta.resolve("./pages/incidents.js"), needs: "read_incidents" }],
  ["approvals", { title: "Approvals", module: import.meta.resolve("./pages/approvals.js"), needs: "list_approvals" }],
  ["money", { title: "Money", module: import.meta.resolve("./pages/money.js"), needs: "read_books" }],
  ["events", { title: "Event log", module: import.meta.resolve("./pages/events.js"), needs: "list_events" }],
  [
    "tickets",
    {
      title: "Tickets",
      module: import.meta.resolve("./pages/kitchen.js"),
      needs: "list_tickets",
      roles: ["restaurant"],
    },
  ],
  [
    "deliveries",
    {
      title: "Deliveries",
      module: import.meta.resolve("./pages/courier.js"),
      needs: "list_offers",
      roles: ["courier"],
    },
  ],
  ["circuits", { title: "Circuits", module: import.meta.resolve("./pages/circuits.js"), needs: "read_incidents" }],
  ["webhooks", { title: "Webhooks", module: import.meta.resolve("./pages/webhooks.js"), needs: "read_webhooks" }],
  ["views", { title: "Views", module: import.meta.resolve("./pages/views.js"), needs: "read_views" }],
  ["audit", { title: "Audit", module: import.meta.resolve("./pages/audit.js"), needs: "verify" }],
  ["audit/:part", { title: "Audit", module: import.meta.resolve("./pages/audit.js"), needs: "verify" }],
];
/** A customer is shown another page of an order than those that work on it. @type {[string, Page]} */
const TRACKING = [
  "orders/:id",
  { title: "Your order", module: import.meta.resolve("./pages/tracking.js"), needs: "read", roles: ["customer"] },
];
const NAVIGATION = PAGES.filter(([pattern]) => !pattern.includes(":"));

function Console() {
  const who = useStore(me);
  return who ? html`<${Frame} who=${who} />` : html`<${Login} />`;
}

/** @param {{who: import("./kit/session.js").Me}} props */
function Frame({ who }) {
  const here = useHere();
  const visit = useStore(visits);
  const [dialog, open] = useState(/** @type {"" | "keys" | "settings"} */ (""));
  useEffect(
    () =>
      beginKeys({
        search: () => document.getElementById("search")?.focus(),
        help: () => open("keys"),
        open: (place) => placesOf(who).some(([path]) => path === place) && go(place),
      }),
    [who],
  );
  const places = placesOf(who);
  const found = pageAt(here.path, who);
  const first = (places.find(([path, each]) => path && each.roles) ?? places[0])?.[0] ?? "";
  const hasHome = places.some(([path]) => !path);
  useEffect(() => void (here.path === "" && !hasHome && first && go(first, { replace: true })), [here.path, first]);
  useEffect(() => showCurrent(".top nav"), [here.path]);
  const page = found?.page;
  return html`
    <a class="skip" href="#main">Skip to content</a>
    <${Top} who=${who} path=${here.path} open=${open} />
    <${Banners} />
    <main id="main" tabindex="-1">
      <${OnPaper} who=${who} />
      ${page && may(page.needs)
        ? html`<${Boundary} key=${`${who.role} ${who.id} ${here.path} ${visit}`}>
            <${Lazy} page=${page} names=${found?.names ?? {}} query=${here.query} />
          </${Boundary}>`
        : html`<${NotHere} />`}
    </main>
    ${dialog === "keys" && html`<${Keys} places=${places} close=${() => open("")} />`}
    ${dialog === "settings" && html`<${SettingsDialog} close=${() => open("")} logOut=${() => logOut()} />`}
  `;
}

/** @param {string} path @param {import("./kit/session.js").Me} who */
const pageAt = (path, who) => findPage(who.role === "customer" ? [TRACKING, ...PAGES] : PAGES, path);

/**
 * The keys that work everywhere, and those of the pages that the role has.
 * @param {{places: [string, Page][], close: () => void}} props
 */
function Keys({ places, close }) {
  const reached = Object.entries(PLACES).flatMap(([key, place]) =>
    places.filter(([path]) => path === place).map(([, page]) => html`<span><kbd>${key}</kbd> ${page.title}</span>`),
  );
  const shown = (/** @type {string} */ keys) =>
    keys.split(" ").map((key, index) => html`${index > 0 && " "}${key === "or" ? key : html`<kbd>${key}</kbd>`}`);
  return html`<${Dialog} title="Keys" close=${close}>
    <dl class="keys">
      ${KEYS.map(([keys, does]) => html`<div><dt>${shown(keys)}</dt><dd>${does}</dd></div>`)}
      <div><dt><kbd>g</kbd> then</dt><dd class="places">${reached}</dd></div>
    </dl>
  </${Dialog}>`;
}

/** The pages, the search and who is logged in. It stays as it is while filters and moments change. */
const Top = memo(({ who, path, open }) => html`<header class="top">
  <a class="brand" href="" aria-label="Expediter"><${Logo} /><span>Expediter</span></a>
  <nav aria-label="Pages">
    ${placesOf(who).map(([place, each]) => html`<a
      href=${place || "./"}
      aria-current=${isHere(place, path) ? "page" : undefined}
    >
      ${each.title}
    </a>`)}
  </nav>
  <${SearchBox} />
  ${currentConfig().environment && html`<span class="environment">${currentConfig().environment}</span>`}
  <button
    type="button"
    class="who"
    onClick=${() => open("settings")}
    aria-label=${`${who.id}, ${who.role}: settings and logout`}
  >
    <bdi>${who.id}</bdi> <span>${who.role}</span>
  </button>
</header>`);

/** Return the pages that a role's navigation has. @param {import("./kit/session.js").Me} who */
const placesOf = (who) => NAVIGATION.filter(([, page]) => may(page.needs) && (page.roles?.includes(who.role) ?? true));

/** @param {string} path @param {string} current */
const isHere = (path, current) => (path ? current === path || current.startsWith(`${path}/`) : current === "");

/**
 * The first line of a printed page: whose it is, in which zone its times are, and where it is.
 * @param {{who: import("./kit/session.js").Me}} props
 */
function OnPaper({ who }) {
  const { zone } = useStore(settings);
  useHere();
  return html`<p class="on-paper">
    As shown to ${who.role} <bdi>${who.id}</bdi>. Times without a zone are in ${zone}. ${location.href}
  </p>`;
}

function NotHere() {
  return html`<div class="notice">
    <h1>There is no such page for your role</h1>
    <p>The address may be wrong, or the page is for another role.</p>
  </div>`;
}

function Banners() {
  const reached = useStore(online);
  const live = useStore(liveState);
  return html`<div class="banners" role="status" aria-live="polite">
    ${!reached && html`<p class="banner offline">
      Offline: the engine does not answer. What you see may be old; the console tries again by itself.
    </p>`}
    ${reached && live === "connecting" && html`<p class="banner late">Live updates are connecting.</p>`}
  </div>`;
}

/**
 * Load the module of a page, then show it.
 * @param {{page: Page, names: Record<string, string>, query: Record<string, string>}} props
 */
function Lazy({ page, names, query }) {
  const module = useLoaded(() => loadModule(page.module), [page]);
  useEffect(() => void (document.title = `${page.title} · Expediter`), [page]);
  if (module.data) return html`<${module.data.default} ...${names} query=${query} />`;
  const problem = {
    message: "This page could not be loaded.",
    next: "Check that the engine runs, then try again. If that does not help, load the console again.",
  };
  return module.error
    ? html`<${Trouble} problem=${problem} retry=${module.reload} />`
    : html`<p class="boot" aria-busy="true">Opening.</p>`;
}

/** Keeps the frame when a page fails, and says so. */
class Boundary extends Component {
  /** @param {any} error */
  componentDidCatch(error) {
    console.error(error);
    this.setState({ error });
  }

  render(/** @type {any} */ { children }, /** @type {any} */ { error }) {
    return error
      ? html`<${Trouble} problem=${{
          message: `This page failed: ${error.message}`,
          next: "Load it again. If it stays, report it with this message.",
        }} />`
      : children;
  }
}

beginRouting();
begin()
  .catch((error) => loginNotice.set(error.message))
  .finally(() => {
    const page = me.value && pageAt(here.value.path, me.value)?.page;
    if (page) loadModule(page.module).catch(() => {}); // it arrives while the frame is drawn
    const root = /** @type {HTMLElement} */ (document.getElementById("app"));
    root.replaceChildren();
    root.className = classes("app");
    render(html`<${Console} />`, root);
  });
