/** The list of orders: filters in the address, a countdown to the next deadline, columns by role. */

import { dateTime, timeLeft } from "../core/time.js";
import { UNDER_WAY, WAITS, causeWords } from "../core/values.js";
import { post } from "../kit/api.js";
import { BULK_ACTIONS, BulkDialog, BulkJob, ordersInWords } from "../kit/bulk.js";
import { useKeys } from "../kit/keys.js";
import { useLive } from "../kit/live.js";
import { usePaged } from "../kit/paged.js";
import {
  Ago,
  Amount,
  Badge,
  Choice,
  Countdown,
  Empty,
  Lasting,
  Said,
  Status,
  Time,
  Trouble,
  words,
} from "../kit/parts.js";
import { address, go, setQuery } from "../kit/router.js";
import { OtherMeanings, personalSearch } from "../kit/search_box.js";
import { may, me } from "../kit/session.js";
import { settings } from "../kit/settings.js";
import { useStore } from "../kit/store.js";
import { Table } from "../kit/table.js";
import { html, useCallback, useEffect, useState } from "../kit/view.js";

const STATUSES = [
  "placed", "authorized", "preparing", "ready", "picked_up", "delivered", "completed", "cancelling", "cancelled",
  "abandoned",
];
const SORTS = /** @type {[string, string][]} */ ([
  ["-placed_at", "newest first"],
  ["placed_at", "oldest first"],
  ["changed_at", "longest unchanged"],
  ["waiting_since", "longest waiting"],
]);
const NAMES = /** @type {Record<string, string>} */ ({
  id_prefix: "id begins with", id_suffix: "id ends with", payment_reference: "payment", placed_from: "placed from",
  placed_to: "placed before", changed_from: "changed from", amount_min: "amount from", amount_max: "amount to",
  customer: "customer", restaurant: "restaurant", courier: "courier", currency: "currency", cause: "cause",
  dependency: "provider",
});

/** @param {{query: Record<string, string>}} props */
export default ({ query }) =>
  query.restaurant_name ? html`<${RestaurantsCalled} query=${query} />` : html`<${Orders} query=${query} />`;

/** @param {{query: Record<string, string>}} props */
function Orders({ query }) {
  const personal = useStore(personalSearch);
  const { found_by: foundBy, job, ...filters } = query;
  const bySearch = foundBy && personal;
  const search = useCallback(
    (/** @type {string | null} */ cursor) =>
      post(`orders/search?limit=50${cursor ? `&cursor=${cursor}` : ""}`, personal, {
        key: undefined,
        reason: "console search",
      }),
    [personal],
  );
  const list = usePaged(
    "orders",
    "orders",
    bySearch ? { personal: JSON.stringify(personal) } : filters,
    bySearch ? search : undefined,
  );
  const [fresh, count] = useState(0);
  useLive(may("list_events") ? "orders" : null, () => count((n) => n + 1), { begun: () => bySearch || list.reload() });
  const show = () => (count(0), list.reload());
  const { chosen, choose, chooseAll, clear } = useChosen(list.rows);
  const [action, begin] = useState(/** @type {import("../kit/bulk.js").BulkAction | ""} */ (""));
  useKeys({ x: () => toggleFocused(choose) });
  return html`
    <div class="page-head">
      <h1>${foundBy ? `Orders found by ${foundBy}` : "Orders"}</h1>
      ${list.asOf && !list.asOf.complete && html`<${Badge} of="half_open" label="The list is still being built" />`}
      <div class="actions">
        ${fresh > 0 && html`<button type="button" onClick=${show} aria-live="polite">${fresh} changed, show</button>`}
      </div>
    </div>
    ${foundBy && !personal
      ? html`<${Empty}>
          What was searched for is not kept in the address, because it is personal. Search again.
        </${Empty}>`
      : html`
          ${!foundBy && html`<${Filters} query=${filters} />`}
          <${Trouble} problem=${list.problem} retry=${list.reload} />
          ${job && may("read_incidents") && html`<${BulkJob}
            id=${job}
            changed=${list.reload}
            close=${() => setQuery({ job: "" })}
          />`}
          ${chosen.size > 0 && html`<${Chosen} ...${{ chosen, list, chooseAll, clear, begin }} />`}
          <${Table}
            label="Orders"
            columns=${[
              ...(may("bulk") ? [chooseColumn(list.rows, chosen, choose, chooseAll, clear)] : []),
              ...columns(),
            ]}
            rows=${list.rows}
            id=${(/** @type {any} */ row) => row.id}
            more=${list.more}
            hot=${(/** @type {any} */ row) => row.parked}
            empty=${!list.loading && !list.problem && html`
              <${Empty}>
                No order matches. ${foundBy === "name" && "Names are found by whole words, in any order. "}
                <a href="orders">Show all</a>
              </${Empty}>
              <${OtherMeanings} />
            `}
          />
          ${action && html`<${BulkDialog}
            action=${action}
            chosen=${{ order_ids: [...chosen.keys()] }}
            count=${chosen.size}
            currencies=${[...new Set([...chosen.values()].map((order) => order.total.currency))]}
            close=${() => begin("")}
            begun=${(/** @type {any} */ begun) => (clear(), setQuery({ job: begun.id }))}
          />`}
        `}
  `;
}

/**
 * The restaurants whose name has the words that were searched for, to go on with the orders of one of them; at once if
 * it is the only one.
 * @param {{query: Record<string, string>}} props
 */
function RestaurantsCalled({ query: { restaurant_name: name, ...filters } }) {
  const list = usePaged("restaurants", "restaurants", { name });
  const ordersOf = (/** @type {any} */ restaurant) => address("orders", { restaurant: restaurant.id, ...filters });
  const only = !list.loading && !list.more && list.rows.length === 1 && list.rows[0];
  useEffect(() => void (only && go(ordersOf(only), { replace: true })), [only]);
  return html`
    <div class="page-head"><h1>Restaurants called <${Said}>${name}</${Said}></h1></div>
    <${Trouble} problem=${list.problem} retry=${list.reload} />
    <${Table}
      label="Restaurants"
      columns=${[
        {
          label: "Restaurant",
          cell: (/** @type {any} */ r) => html`<a href=${ordersOf(r)} data-row><${Said}>${r.name}</${Said}></a>`,
        },
        { label: "Id", cell: (/** @type {any} */ r) => html`<code>${r.id}</code>` },
        {
          label: "Address",
          wide: true,
          late: true,
          cell: (/** @type {any} */ r) => html`<${Said}>${r.address}</${Said}>`,
        },
      ]}
      rows=${list.rows}
      id=${(/** @type {any} */ r) => r.id}
      more=${list.more}
      empty=${
        list.loading
          ? html`<p class="empty" aria-busy="true">Looking for the restaurant.</p>`
          : !list.problem && html`
              <${Empty}>No restaurant has these words in its name. <a href="orders">Show all orders</a></${Empty}>
              <${OtherMeanings} />
            `
      }
    />
  `;
}

/** Orders of one bulk job at most; the API's own limit. */
const CHOSEN_MAX = 1000;

/**
 * The chosen orders by id. Those that are no longer in the list stay chosen: what was chosen is what is planned.
 * @param {any[]} rows
 */
function useChosen(rows) {
  const [chosen, set] = useState(/** @type {Map<string, any>} */ (new Map()));
  const choose = (/** @type {string} */ id) =>
    set((before) => {
      const after = new Map(before);
      const row = rows.find((each) => each.id === id);
      if (!after.delete(id) && row && after.size < CHOSEN_MAX) after.set(id, row);
      return after;
    });
  const chooseAll = (/** @type {any[]} */ all) => set(new Map(all.slice(0, CHOSEN_MAX).map((row) => [row.id, row])));
  return { chosen, choose, chooseAll, clear: () => set(new Map()) };
}

/** Choose the order whose link has the focus. @param {(id: string) => void} choose */
function toggleFocused(choose) {
  const href = document.activeElement?.closest("tr.row")?.querySelector("[data-row]")?.getAttribute("href");
  if (href && may("bulk")) choose(href.replace("orders/", ""));
}

/**
 * @param {any[]} rows
 * @param {Map<string, any>} chosen
 * @param {(id: string) => void} choose
 * @param {(rows: any[]) => void} chooseAll
 * @param {() => void} clear
 */
function chooseColumn(rows, chosen, choose, chooseAll, clear) {
  const every = rows.length > 0 && rows.every(({ id }) => chosen.has(id));
  return {
    late: true,
    label: html`<input
      type="checkbox"
      aria-label="Choose all that are loaded"
      checked=${every}
      onChange=${() => (every ? clear() : chooseAll(rows))}
    />`,
    cell: (/** @type {any} */ o) => html`<input
      type="checkbox"
      aria-label=${`Choose order ${o.id.slice(4, 14)}`}
      checked=${chosen.has(o.id)}
      onChange=${() => choose(o.id)}
    />`,
  };
}

/** What can be done with the chosen orders. @param {any} props */
function Chosen({ chosen, list, chooseAll, clear, begin }) {
  return html`<div class="chosen" role="region" aria-label="Chosen orders">
    <strong>${ordersInWords(chosen.size)} chosen</strong>
    ${list.more && chosen.size < CHOSEN_MAX && html`<button
      type="button"
      onClick=${() => list.all(CHOSEN_MAX).then(chooseAll)}
    >
      Choose all that match
    </button>`}
    <button type="button" onClick=${clear}>Clear</button>
    <span class="actions">
      ${BULK_ACTIONS.map(([action, label]) => html`<button type="button" onClick=${() => begin(action)}>
        ${action === "note" ? "Add a note" : label}
      </button>`)}
    </span>
  </div>`;
}

/** @param {{query: Record<string, string>}} props */
function Filters({ query }) {
  const toggle = (/** @type {string} */ name) => setQuery({ [name]: query[name] ? "" : "true" });
  const { zone } = useStore(settings);
  const others = Object.keys(query).filter((name) => name in NAMES);
  return html`<div class="filters" role="group" aria-label="Filters">
    <${Choice}
      label="Status"
      value=${query.status ?? ""}
      options=${[["", "any"], ...STATUSES.map((each) => [each, words(each)]), ...severalOf(query.status)]}
      choose=${(/** @type {string} */ status) => setQuery({ status })}
    />
    <${Choice}
      label="Waits for"
      value=${query.waiting_for ?? ""}
      options=${[["", "anything"], ...Object.entries(WAITS)]}
      choose=${(/** @type {string} */ value) => setQuery({ waiting_for: value })}
    />
    <${Choice}
      label="Sorted"
      value=${query.sort ?? "-placed_at"}
      options=${SORTS}
      choose=${(/** @type {string} */ sort) => setQuery({ sort: sort === "-placed_at" ? "" : sort })}
    />
    <button type="button" aria-pressed=${query.overdue === "true"} onClick=${() => toggle("overdue")}>Overdue</button>
    ${may("read_incidents") && html`<button
      type="button"
      aria-pressed=${query.parked === "true"}
      onClick=${() => toggle("parked")}
    >
      Parked
    </button>`}
    ${others.map((name) => html`<button
      type="button"
      class="chip"
      aria-label=${`Remove the filter ${NAMES[name]} ${filterWords(query[name], zone)}`}
      onClick=${() => setQuery({ [name]: "" })}
    >
      ${NAMES[name]} <strong><bdi>${filterWords(query[name], zone)}</bdi></strong> ×
    </button>`)}
    ${Object.keys(query).length > 0 && html`<a href="orders">Clear</a>`}
  </div>`;
}

/**
 * The choice of several statuses, which a link brought.
 * @param {string | undefined} status
 * @returns {[string, string][]}
 */
const severalOf = (status) =>
  status?.includes(",")
    ? [[status, status === UNDER_WAY.join(",") ? "under way" : status.split(",").map(words).join(", ")]]
    : [];

/** An instant in the chosen zone; other values as they are. @param {string} value @param {string} zone */
const filterWords = (value, zone) =>
  /^\d{4}-\d\d-\d\dT/.test(value) && !Number.isNaN(Date.parse(value))
    ? `${dateTime(value, zone).slice(0, 16)} ${zone}`
    : value;

function columns() {
  const role = me.value?.role;
  return [
    {
      label: "Order",
      cell: (/** @type {any} */ o) => html`<a href=${`orders/${o.id}`} data-row><code>${o.id.slice(4, 14)}</code></a>`,
    },
    { label: "Status", cell: (/** @type {any} */ o) => html`<${Status} order=${o} />` },
    { label: "Waits for", wide: true, cell: (/** @type {any} */ o) => waitCell(o) },
    { label: "Total", align: "end", late: true, cell: (/** @type {any} */ o) => html`<${Amount} of=${o.total} />` },
    role !== "restaurant" && {
      label: "Restaurant",
      late: true,
      cell: (/** @type {any} */ o) => html`<${Said}>${o.restaurant}</${Said}>`,
    },
    role !== "customer" &&
      role !== "courier" && {
        label: "Customer",
        late: true,
        cell: (/** @type {any} */ o) => html`<${Said}>${o.customer}</${Said}>`,
      },
    role !== "courier" && {
      label: "Courier",
      late: true,
      cell: (/** @type {any} */ o) => o.courier && html`<${Said}>${o.courier}</${Said}>`,
    },
    { label: "Placed", late: true, cell: (/** @type {any} */ o) => html`<${Time} at=${o.placed_at} />` },
    { label: "Changed", align: "end", late: true, cell: (/** @type {any} */ o) => html`<${Ago} at=${o.changed_at} />` },
  ].filter(Boolean);
}

/** @param {any} order */
function waitCell(order) {
  if (order.incident)
    return html`
      <a href=${`incidents?cause=${encodeURIComponent(order.incident.cause)}`}>${order.incident.cause}</a>${" "}
      <span class="dim"><${Lasting} from=${order.incident.since} /></span>
    `;
  const wait = order.waiting[0];
  if (!wait) return order.cancellation_cause && html`<span class="dim">${causeWords(order.cancellation_cause)}</span>`;
  return html`
    ${WAITS[wait.what] ?? words(wait.what)}${" "}
    ${wait.until
      ? html`<${Countdown} until=${wait.until} write=${timeLeft} />`
      : html`<span class="dim"><${Lasting} from=${wait.since} /></span>`}
    ${wait.overdue && html` <${Badge} of="parked" label="overdue" />`}
  `;
}
