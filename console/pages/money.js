/**
 * The books by currency and account, where they contradict one another or a provider, and what is owed, to the order.
 */

import { AGES, contradictions, eventsOf, owedRows, queryOf } from "../core/books.js";
import { isZero, money, sums } from "../core/money.js";
import { accountWords } from "../core/values.js";
import { get, useLoaded } from "../kit/api.js";
import { usePaged } from "../kit/paged.js";
import { Ago, Amount, AsOf, Badge, Card, Choice, Empty, Said, Status, Trouble } from "../kit/parts.js";
import { address, setQuery } from "../kit/router.js";
import { may } from "../kit/session.js";
import { Table } from "../kit/table.js";
import { html } from "../kit/view.js";

const DAY_MS = 86_400_000;
const PERIOD = ["day_from", "day_to", "restaurant", "currency"];
const OWED = ["holding", "dependency", "in_doubt", "refused", "needed", "older_than_s", "currency"];

/** @param {{query: Record<string, string>}} props */
export default function Money({ query }) {
  const period = only(query, PERIOD);
  const books = useLoaded((signal) => get("books", { query: period, signal }), [JSON.stringify(period)]);
  const currencies = books.data?.currencies ?? [];
  return html`
    <div class="page-head">
      <h1>Money</h1>
      ${books.data && html`<span class="dim">
        booked by the day in UTC on which an event was recorded; <${AsOf} of=${books.data.as_of} />
      </span>`}
    </div>
    <${Period} query=${query} />
    <${Trouble} problem=${books.error} retry=${books.reload} />
    <div class="stack">
      ${!books.data && books.loading && html`<p class="dim" aria-busy="true">Adding up the books.</p>`}
      ${books.data && html`<${Differences} currencies=${currencies} />`}
      ${books.data && !currencies.length && html`<${Empty}>Nothing was booked in this period.</${Empty}>`}
      ${currencies.map((/** @type {any} */ each) => html`<${Accounts}
        key=${each.currency}
        books=${each}
        period=${period}
      />`)}
      <${Owed} query=${query} />
      ${books.data?.payables.length > 0 && html`<${Payables} books=${books.data} />`}
    </div>
  `;
}

/** @param {Record<string, string>} query @param {string[]} names */
const only = (query, names) =>
  Object.fromEntries(names.filter((name) => query[name]).map((name) => [name, query[name]]));

/** @param {{query: Record<string, string>}} props */
function Period({ query }) {
  const field = (/** @type {string} */ name, /** @type {string} */ label, type = "text") => html`<label class="field">
    <span>${label}</span>
    <input
      type=${type}
      value=${query[name] ?? ""}
      onChange=${(/** @type {any} */ e) => setQuery({ [name]: e.target.value.trim() })}
    />
  </label>`;
  return html`<div class="filters" role="group" aria-label="Filters">
    ${field("day_from", "From", "date")} ${field("day_to", "To, included", "date")} ${field("restaurant", "Restaurant")}
    <label class="field">
      <span>Currency</span>
      <input
        type="text"
        maxlength="3"
        value=${query.currency ?? ""}
        onChange=${(/** @type {any} */ e) => setQuery({ currency: e.target.value.trim().toUpperCase() })}
      />
    </label>
    ${Object.keys(query).length > 0 && html`<a href="money">Clear</a>`}
  </div>`;
}

/**
 * One currency: each account with the two sides of the period.
 * @param {{books: any, period: Record<string, string>}} props
 */
function Accounts({ books, period }) {
  const state = books.balanced
    ? html`<span class="verified">✓ debits equal credits</span>`
    : html`<span class="attention">not balanced</span>`;
  const columns = [
    { label: "Account", wide: true, cell: (/** @type {any} */ a) => html`<span>${accountWords(a.account)}</span>` },
    amount("Opening", "opening", true),
    amount("Debit", "debit", true),
    amount("Credit", "credit", true),
    amount("Balance", "closing"),
    {
      label: "See",
      align: /** @type {"end"} */ ("end"),
      cell: (/** @type {any} */ a) => html`<${AccountLinks}
        account=${a.account}
        currency=${books.currency}
        period=${period}
      />`,
    },
  ];
  return html`<${Card} title=${`Books in ${books.currency}`} note=${state} flush>
    <div class="purse">
      ${[
        ["On hold", books.holds],
        ["Platform fees", books.revenue],
        ["Debits", books.debit],
        ["Credits", books.credit],
      ].map(
        ([label, value]) => html`<div>
          <span class="dim">${label}</span>
          <strong><${Amount} of=${value} /></strong>
        </div>`,
      )}
    </div>
    <${Table}
      label=${`Accounts in ${books.currency}`}
      columns=${columns}
      rows=${books.accounts}
      id=${(/** @type {any} */ a) => a.account}
    />
    ${books.taxes.length > 0 && html`<${Table}
      label=${`Tax in ${books.currency}`}
      columns=${TAXES}
      rows=${books.taxes}
      id=${(/** @type {any} */ t) => `${t.tax_class} ${t.rate_bp}`}
    />`}
  </${Card}>`;
}

/** @param {string} label @param {string} name @param {boolean} [late] */
const amount = (label, name, late) => ({
  label,
  late,
  align: /** @type {"end"} */ ("end"),
  cell: (/** @type {any} */ row) => html`<${Amount} of=${row[name]} />`,
});

/** @param {{account: string, currency: string, period: Record<string, string>}} props */
function AccountLinks({ account, currency, period }) {
  const name = `${accountWords(account)} in ${currency}`;
  return html`<span class="pair">
    ${may("query") && html`<a
      href=${queryOf(account, currency, period)}
      aria-label=${`Orders with a balance on ${name}`}
    >
      orders
    </a>`}
    ${may("list_events") && html`<a
      href=${eventsOf(account, period)}
      data-row
      aria-label=${`Events that post to ${name}`}
    >
      events
    </a>`}
  </span>`;
}

const TAXES = [
  {
    label: "Tax",
    wide: true,
    cell: (/** @type {any} */ t) => html`
      <${Said}>${t.tax_class ?? "without a class"}</${Said}>
      ${t.rate_bp === null ? "" : ` ${(t.rate_bp / 100).toLocaleString()} %`}
    `,
  },
  amount("Net", "net", true),
  amount("Tax", "tax"),
  amount("Gross", "gross", true),
];

/**
 * What contradicts: the ledger itself, the log and a provider, and streams that are not in the books.
 * @param {{currencies: any[]}} props
 */
function Differences({ currencies }) {
  const doubt = useLoaded((signal) => get("owed", { query: { in_doubt: true, limit: 1 }, signal }), []);
  const refused = useLoaded((signal) => get("owed", { query: { refused: true, limit: 1 }, signal }), []);
  const views = useLoaded(async (signal) => (may("read_views") ? get("views", { signal }) : null), []);
  const parked =
    views.data?.views
      .filter((/** @type {any} */ v) => ["ledger", "taxes", "owed"].includes(v.name))
      .reduce((/** @type {number} */ n, /** @type {any} */ v) => n + v.parked, 0) ?? 0;
  const lines = [
    ...currencies
      .flatMap((each) => contradictions(each))
      .map(({ what, amount: of }) => ({ what, more: html`<${Amount} of=${of} />`, bad: true })),
    difference("The outcome of a call is unknown: the provider may have done it", "in_doubt", doubt.data),
    difference("A provider refused to take it back: it holds what the log gives back", "refused", refused.data),
    parked > 0 && { what: html`<a href="views">Streams that the books do not have</a>`, more: parked, bad: true },
  ].filter(Boolean);
  const problem = doubt.error ?? refused.error;
  return html`<${Card} title="Differences" note="the ledger with itself, and the log with the providers">
    <${Trouble} problem=${problem} retry=${() => (doubt.reload(), refused.reload())} />
    ${lines.length > 0 && html`<ul class="lines">
      ${lines.map((/** @type {any} */ line) => html`<li>
        <span>${line.what}</span>
        <span></span>
        <strong class=${line.bad ? "attention" : ""}>${line.more}</strong>
      </li>`)}
    </ul>`}
    ${!lines.length && doubt.data && refused.data && html`<p class="verified">
      ✓
      None.${currencies.length > 0 &&
        ` The accounts in ${currencies.map((each) => each.currency).join(", ")} add up to zero.`} No
      provider refused to take something back, and no outcome of a call is unknown.
    </p>`}
    <p class="dim space-above">
      A statement of the payment provider is compared with the log
      by <code>expediter books reconcile statement.csv</code>.
    </p>
  </${Card}>`;
}

/** @param {string} what @param {string} filter @param {any} page */
function difference(what, filter, page) {
  const items = page?.totals.reduce((/** @type {number} */ n, /** @type {any} */ t) => n + t.items, 0) ?? 0;
  if (!items) return null;
  return {
    what: html`<a href=${address("money", { [filter]: true })}>${what}</a>`,
    more: html`${items} ${items === 1 ? "item" : "items"}, <${Sum} of=${page.totals} />`,
    bad: true,
  };
}

/** @param {{of: any[]}} props */
const Sum = ({ of }) => html`
  ${sums(of.map((/** @type {any} */ total) => total.amount))
    .filter((each) => !isZero(each))
    .map((each) => money(each))
    .join(", ")}
`;

/**
 * What is held and to be given back: totals by holding and age, and each order.
 * @param {{query: Record<string, string>}} props
 */
function Owed({ query }) {
  const filters = only(query, OWED);
  const list = usePaged("owed", "items", filters);
  const rows = owedRows(list.first?.totals ?? []);
  const toggle = (/** @type {string} */ name) => setQuery({ [name]: query[name] ? "" : "true" });
  return html`<${Card}
    title="What is owed"
    note="held by orders that were cancelled, parked or refunded, and not given back"
    flush
  >
    <div class="filters inside" role="group" aria-label="Filters of what is owed">
      <${Choice}
        label="Held as"
        value=${query.holding ?? ""}
        options=${[["", "anything"], ...["authorization", "capture", "ticket", "offer"].map((each) => [each, each])]}
        choose=${(/** @type {string} */ holding) => setQuery({ holding })}
      />
      <${Choice}
        label="Owed for"
        value=${query.older_than_s ?? ""}
        options=${[["", "any time"], ...AGES.slice(1).map(([, , from]) => [String(from), `at least ${since(from)}`])]}
        choose=${(/** @type {string} */ value) => setQuery({ older_than_s: value })}
      />
      ${[
        ["in_doubt", "In doubt"],
        ["refused", "Refused"],
        ["needed", "Still needed"],
      ].map(
        ([name, label]) => html`<button
          type="button"
          aria-pressed=${query[name] === "true"}
          onClick=${() => toggle(name)}
        >
          ${label}
        </button>`,
      )}
      ${OWED.some((name) => name !== "currency" && query[name]) && html`<a
        href=${address("money", only(query, PERIOD))}
      >
        All
      </a>`}
    </div>
    <${Trouble} problem=${list.problem} retry=${list.reload} />
    ${rows.length > 0 && html`<${Table}
      label="Totals of what is owed"
      columns=${totals(query)}
      rows=${rows}
      id=${(/** @type {any} */ r) => `${r.holding} ${r.currency}`}
    />`}
    <${Table}
      label="Held by orders"
      columns=${COLUMNS}
      rows=${list.rows}
      id=${(/** @type {any} */ i) => `${i.order_id}:${i.intent}:${i.holding}`}
      more=${list.more}
      hot=${(/** @type {any} */ i) => i.refused}
      empty=${!list.loading && !list.problem && html`<${Empty}>
        Nothing is owed${Object.keys(filters).length ? " that matches" : ""}.
      </${Empty}>`}
    />
  </${Card}>`;
}

/** @param {number} seconds */
const since = (seconds) => (seconds === 3600 ? "an hour" : seconds === 86_400 ? "a day" : "a week");

/** @param {Record<string, string>} query */
const totals = (query) => [
  {
    label: "Total of",
    wide: true,
    cell: (/** @type {any} */ r) => html`
      <a href=${address("money", { ...query, holding: r.holding, currency: r.currency })}>${r.holding}</a>${" "}
      <span class="dim">${r.currency}</span>
    `,
  },
  ...AGES.map(([age, label, from]) => ({
    label,
    late: true,
    align: /** @type {"end"} */ ("end"),
    cell: (/** @type {any} */ r) =>
      r.byAge[age] && html`<a
        href=${address("money", { ...query, holding: r.holding, currency: r.currency, older_than_s: from || "" })}
      >
        <${Part} of=${r.byAge[age]} />
      </a>`,
  })),
  {
    label: "All",
    align: /** @type {"end"} */ ("end"),
    cell: (/** @type {any} */ r) => html`<strong><${Part} of=${r} /></strong>`,
  },
];

/** @param {{of: {items: number, amount: any}}} props */
const Part = ({ of }) => html`
  ${!isZero(of.amount) && html`<${Amount} of=${of.amount} /> `}
  <span class="dim">${of.items} ${of.items === 1 ? "item" : "items"}</span>
`;

const COLUMNS = [
  {
    label: "Order",
    cell: (/** @type {any} */ i) => html`<a href=${`orders/${i.order_id}`} data-row>
      <code>${i.order_id.slice(4, 14)}</code>
    </a>`,
  },
  {
    label: "Status",
    late: true,
    cell: (/** @type {any} */ i) => html`<${Status} order=${{ status: i.order_status, parked: i.parked }} />`,
  },
  {
    label: "Held as",
    cell: (/** @type {any} */ i) => html`<a
      href=${`orders/${i.order_id}?at=${i.intent}`}
      title=${`Event ${i.intent} of the order`}
    >
      ${i.holding} #${i.intent}
    </a>`,
  },
  { label: "At", late: true, cell: (/** @type {any} */ i) => i.dependency },
  {
    label: "State",
    wide: true,
    late: true,
    cell: (/** @type {any} */ i) => html`
      ${i.refused && html`<${Badge} of="parked" label="refused" /> `}
      ${i.in_doubt && html`<${Badge} of="stopped" label="in doubt" /> `}
      ${i.needed
        ? html`<span class="dim">still needed by the order</span>`
        : !i.parked && html`<span class="dim">is given back without a person</span>`}
    `,
  },
  {
    label: "Amount",
    align: /** @type {"end"} */ ("end"),
    cell: (/** @type {any} */ i) => html`<${Amount} of=${i.amount} />`,
  },
  {
    label: "Since",
    late: true,
    align: /** @type {"end"} */ ("end"),
    cell: (/** @type {any} */ i) => html`<${Ago} at=${i.since} />`,
  },
];

/** @param {{books: any}} props */
function Payables({ books }) {
  return html`<${Card}
    title="Payable to restaurants and couriers"
    note=${
      books.more ? "there are more: choose a shorter period or one restaurant" : "by day; paid out by another system"
    }
    flush
  >
    <${Table}
      label="Payables"
      columns=${PAYABLES}
      rows=${books.payables}
      id=${(/** @type {any} */ p) => `${p.day} ${p.restaurant} ${p.to} ${p.party} ${p.amount.currency}`}
    />
  </${Card}>`;
}

const PAYABLES = [
  {
    label: "Day",
    cell: (/** @type {any} */ p) => html`<a href=${address("money", { day_from: p.day, day_to: p.day })}>${p.day}</a>`,
  },
  { label: "To", wide: true, cell: (/** @type {any} */ p) => html`${p.to} <${Said}>${p.party ?? "unknown"}</${Said}>` },
  { label: "Restaurant", late: true, cell: (/** @type {any} */ p) => html`<${Said}>${p.restaurant}</${Said}>` },
  amount("Amount", "amount"),
  {
    label: "See",
    align: /** @type {"end"} */ ("end"),
    cell: (/** @type {any} */ p) => html`<a
      href=${ordersOf(p)}
      data-row
      aria-label=${`Orders of ${p.party ?? p.restaurant} on ${p.day}`}
    >
      orders
    </a>`,
  },
];

/** The orders of a payable: placed up to a day before, because a sale is booked on delivery. @param {any} payable */
function ordersOf({ day, restaurant, to, party }) {
  const [from, until] = [-1, 1].map((days) => new Date(Date.parse(`${day}T00:00:00Z`) + days * DAY_MS).toISOString());
  return address("orders", { restaurant, courier: to === "courier" ? party : "", placed_from: from, placed_to: until });
}
