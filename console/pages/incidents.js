/** Parked orders by cause, and the orders of one cause: take them on, retry them together, and see how each ended. */

import { sums, withAmounts } from "../core/money.js";
import { withTimes } from "../core/time.js";
import { withoutId } from "../core/values.js";
import { ActionDialog } from "../kit/action.js";
import { get, useLoaded } from "../kit/api.js";
import { BulkDialog, BulkJob, ordersInWords } from "../kit/bulk.js";
import { useLive } from "../kit/live.js";
import { Ago, Amount, Amounts, Badge, Card, Choice, Empty, Said, Time, Trouble } from "../kit/parts.js";
import { setQuery } from "../kit/router.js";
import { may, me } from "../kit/session.js";
import { settings } from "../kit/settings.js";
import { useStore } from "../kit/store.js";
import { Table } from "../kit/table.js";
import { html, useState } from "../kit/view.js";

const ASSIGNEES = /** @type {[string, string][]} */ ([["", "anybody or nobody"], ["nobody", "nobody"], ["me", "me"]]);

/** @param {{query: Record<string, string>}} props */
export default function Incidents({ query }) {
  const filters = {
    cause: query.cause,
    unassigned: query.by === "nobody" || undefined,
    assignee: query.by === "me" ? me.value?.id : undefined,
  };
  const list = useLoaded(
    (signal) => get("incidents", { query: { limit: 100, ...filters }, signal }),
    [query.cause, query.by],
  );
  const [fresh, count] = useState(0);
  const [retrying, retry] = useState(/** @type {any} */ (null));
  const [claiming, claim] = useState(/** @type {any} */ (null));
  useLive("incidents", () => count((n) => n + 1), { begun: list.reload });
  const show = () => (count(0), list.reload());
  const groups = list.data?.groups ?? [];
  const rows = list.data?.incidents ?? [];
  return html`
    <div class="page-head">
      <h1>Incidents</h1>
      ${groups.length > 0 && html`<span class="dim">
        <${Amounts} of=${sums(groups.flatMap((/** @type {any} */ g) => g.at_stake))} /> at stake
      </span>`}
      <div class="actions">
        ${fresh > 0 && html`<button type="button" onClick=${show}>${fresh} new or changed, show</button>`}
      </div>
    </div>
    <div class="filters" role="group" aria-label="Filters">
      <${Choice}
        label="Taken on by"
        value=${query.by ?? ""}
        options=${ASSIGNEES}
        choose=${(/** @type {string} */ by) => setQuery({ by })}
      />
    </div>
    <${Trouble} problem=${list.error} retry=${list.reload} />
    ${query.job && html`<${BulkJob} id=${query.job} changed=${list.reload} close=${() => setQuery({ job: "" })} />`}
    ${list.data && !groups.length && html`<${Empty}>
      ${query.by || query.cause ? "No parked order matches." : "No order is parked. Every order is finished or moving."}
    </${Empty}>`}
    <div class="groups">
      ${groups.map((/** @type {any} */ g) => html`<${Group}
        key=${g.cause}
        group=${g}
        chosen=${query.cause === g.cause}
        retry=${query.by ? null : () => retry(g)}
      />`)}
    </div>
    ${query.cause && rows.length > 0 && may("read_why") && html`<${Example}
      key=${rows[0].order_id}
      incident=${rows[0]}
    />`}
    ${rows.length > 0 && html`<${Table}
      label="Parked orders"
      columns=${columns(claim)}
      rows=${rows}
      id=${(/** @type {any} */ row) => row.order_id}
    />`}
    ${list.data?.more > 0 && html`<p class="empty">${list.data.more} more are not listed; choose a cause.</p>`}
    ${claiming && html`<${Claim} incident=${claiming} close=${() => (claim(null), show())} done=${show} />`}
    ${retrying && html`<${BulkDialog}
      action="retry"
      chosen=${{ group: retrying.cause }}
      count=${retrying.orders}
      close=${() => retry(null)}
      begun=${(/** @type {any} */ job) => setQuery({ job: job.id })}
    />`}
  `;
}

/** @param {(incident: any) => void} claim */
const columns = (claim) => [
  {
    label: "Order",
    cell: (/** @type {any} */ i) => html`<a href=${`orders/${i.order_id}`} data-row>
      <code>${i.order_id.slice(4, 14)}</code>
    </a>`,
  },
  { label: "Cause", wide: true, cell: (/** @type {any} */ i) => i.cause },
  { label: "Status", late: true, cell: (/** @type {any} */ i) => html`<${Badge} of=${i.status} />` },
  { label: "At stake", align: "end", cell: (/** @type {any} */ i) => html`<${Amount} of=${i.at_stake} />` },
  { label: "Run", align: "end", late: true, cell: (/** @type {any} */ i) => i.run },
  { label: "Parked", late: true, cell: (/** @type {any} */ i) => html`<${Time} at=${i.since} />` },
  { label: "Since", align: "end", late: true, cell: (/** @type {any} */ i) => html`<${Ago} at=${i.since} />` },
  {
    label: "Taken on by",
    cell: (/** @type {any} */ i) => html`
      ${i.assignee && html`<${Said}>${i.assignee}</${Said}> `}
      ${may("assign_incident") && html`<button type="button" onClick=${() => claim(i)}>
        ${isMine(i) ? "Release" : "Take on"}
      </button>`}
    `,
  },
];

/** @param {any} incident */
const isMine = (incident) => incident.assignee === me.value?.id;

/** @param {{group: any, chosen: boolean, retry: (() => void) | null}} props */
function Group({ group, chosen, retry }) {
  return html`<article class="group" data-chosen=${chosen ? "" : undefined}>
    <div>
      <h2>${group.error}</h2>
      <p class="dim">${group.dependency ? `at ${group.dependency}, ` : ""}first parked <${Ago} at=${group.since} /></p>
    </div>
    <${Trend} hours=${group.by_hour} />
    <p>
      <strong class="count">${group.orders}</strong> ${group.orders === 1 ? "order" : "orders"}
      <br />
      <span class="dim">${group.runs} ${group.runs === 1 ? "run" : "runs"} so far</span>
    </p>
    <p><${Amounts} of=${group.at_stake} /><br /><span class="dim">at stake</span></p>
    <div class="actions">
      <button
        type="button"
        aria-pressed=${chosen}
        onClick=${() => setQuery({ cause: chosen ? "" : group.cause }, false)}
      >
        ${chosen ? "Show all" : "Show orders"}
      </button>
      ${retry && may("bulk") && html`<button type="button" class="primary" onClick=${retry}>Retry all</button>`}
    </div>
  </article>`;
}

const HOURS = 24;

/**
 * When the orders of a cause were parked: a bar for each of the last 24 hours; older ones count for the first.
 * @param {{hours: {hour: string, orders: number}[]}} props
 */
function Trend({ hours }) {
  const now = Math.floor(Date.now() / 3600_000);
  const bars = Array.from({ length: HOURS }, () => 0);
  for (const { hour, orders } of hours)
    bars[Math.min(HOURS - 1, Math.max(0, HOURS - 1 - (now - Date.parse(hour) / 3600_000)))] += orders;
  const most = Math.max(1, ...bars);
  const last = bars[HOURS - 1] + bars[HOURS - 2];
  return html`<svg
    class="trend"
    viewBox="0 0 120 34"
    width="120"
    height="34"
    role="img"
    aria-label=${`Parked by hour in the last 24 hours: ${ordersInWords(last)} since the hour before this one`}
  >
    ${bars.map((count, i) => html`<g>
      <title>${i === 0 ? "earlier" : `${HOURS - 1 - i} h ago`}: ${count}</title>
      <rect class="track" x=${i * 5} y="0" width="4" height="32" />
      <rect
        class="fill"
        x=${i * 5}
        y=${32 - (count ? Math.max(3, (32 * count) / most) : 0)}
        width="4"
        height=${count ? Math.max(3, (32 * count) / most) : 0}
      />
    </g>`)}
  </svg>`;
}

/** What failed in the order of a cause that is parked longest. @param {{incident: any}} props */
function Example({ incident }) {
  const why = useLoaded((signal) => get(`orders/${incident.order_id}/why`, { signal }), [incident.order_id]);
  const { zone } = useStore(settings);
  const parked = why.data?.parked;
  if (!parked) return html`<${Trouble} problem=${why.error} />`;
  const { tried } = parked;
  return html`<${Card}
    title="The one parked longest"
    note=${html`<a href=${`orders/${incident.order_id}`}>order ${incident.order_id.slice(4, 14)}</a>`}
    class="example"
  >
    <p class="sentence">${withTimes(withAmounts(withoutId(why.data.sentence, incident.order_id)), zone)}</p>
    ${tried && html`
      <p>
        <strong>${tried.state}</strong>: ${tried.attempts} ${tried.attempts === 1 ? "attempt" : "attempts"},${" "}
        ${tried.failed} failed${tried.error && html`, the last with <code>${tried.error}</code>`}
      </p>
      ${tried.message && !why.data.sentence.includes(tried.message) && html`<p class="dim">${tried.message}</p>`}
    `}
    ${parked.detail && !why.data.sentence.includes(parked.detail) && html`<p class="dim">${parked.detail}</p>`}
    <p><span class="dim">Next:</span> ${why.data.next}</p>
  </${Card}>`;
}

/** @param {{incident: any, close: () => void, done: () => void}} props */
function Claim({ incident, close, done }) {
  const mine = isMine(incident);
  const kind = {
    title: mine ? "Release the incident" : "Take the incident on",
    path: `incidents/${incident.order_id}/assign`,
    dry: true,
    effect: mine
      ? "Colleagues see that it is free again."
      : (incident.assignee ? `${incident.assignee} works on it now. ` : "") +
        "Colleagues see that you work on it, and can still act on it.",
    order: incident.order_id,
    since: incident.version,
    body: (/** @type {Record<string, string>} */ v) => ({ to: mine ? null : me.value?.id, reason: v.reason }),
  };
  return html`<${ActionDialog} kind=${kind} close=${close} done=${done} />`;
}
