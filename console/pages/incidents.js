/** Parked orders by cause, and the orders of one cause: retry them together, at a pace, and see how each ended. */

import { sums } from "../core/money.js";
import { get, post, useLoaded } from "../kit/api.js";
import { ActionDialog } from "../kit/action.js";
import { useLive } from "../kit/live.js";
import { Ago, Amount, Amounts, Badge, Card, Empty, Status, Time, Trouble, words } from "../kit/parts.js";
import { address, setQuery } from "../kit/router.js";
import { may } from "../kit/session.js";
import { Table } from "../kit/table.js";
import { html, useEffect, useRef, useState } from "../kit/view.js";

/** @param {{query: Record<string, string>}} props */
export default function Incidents({ query }) {
  const list = useLoaded((signal) => get("incidents", { query: { limit: 100, cause: query.cause }, signal }), [query.cause]);
  const [fresh, count] = useState(0);
  const [retrying, retry] = useState(/** @type {any} */ (null));
  useLive("incidents", () => count((n) => n + 1));
  const show = () => (count(0), list.reload());
  const groups = list.data?.groups ?? [];
  return html`
    <div class="page-head"><h1>Incidents</h1>
      ${groups.length > 0 && html`<span class="dim"><${Amounts} of=${sums(groups.flatMap((/** @type {any} */ g) => g.at_stake))} /> at stake</span>`}
      <div class="actions">${fresh > 0 && html`<button type="button" onClick=${show}>${fresh} new or changed, show</button>`}</div></div>
    <${Trouble} problem=${list.error} retry=${list.reload} />
    ${query.job && html`<${BulkJob} id=${query.job} changed=${list.reload} />`}
    ${list.data && !groups.length && html`<${Empty}>No order is parked. Every order is finished or moving.</${Empty}>`}
    <div class="groups">${groups.map((/** @type {any} */ g) => html`<${Group} key=${g.cause} group=${g} chosen=${query.cause === g.cause} retry=${() => retry(g)} />`)}</div>
    ${list.data?.incidents.length > 0 && html`<${Table} label="Parked orders" columns=${COLUMNS} rows=${list.data.incidents} id=${(/** @type {any} */ row) => row.order_id} />`}
    ${list.data?.more > 0 && html`<p class="empty">${list.data.more} more are not listed; choose a cause.</p>`}
    ${retrying && html`<${RetryAll} group=${retrying} close=${() => retry(null)} />`}`;
}

const COLUMNS = [
  { label: "Order", cell: (/** @type {any} */ i) => html`<a href=${`orders/${i.order_id}`} data-row><code>${i.order_id.slice(4, 14)}</code></a>` },
  { label: "Cause", wide: true, cell: (/** @type {any} */ i) => i.cause },
  { label: "Status", cell: (/** @type {any} */ i) => html`<${Badge} of=${i.status} />` },
  { label: "At stake", align: "end", cell: (/** @type {any} */ i) => html`<${Amount} of=${i.at_stake} />` },
  { label: "Run", align: "end", late: true, cell: (/** @type {any} */ i) => i.run },
  { label: "Parked", late: true, cell: (/** @type {any} */ i) => html`<${Time} at=${i.since} />` },
  { label: "For", align: "end", cell: (/** @type {any} */ i) => html`<${Ago} at=${i.since} />` },
];

/** @param {{group: any, chosen: boolean, retry: () => void}} props */
function Group({ group, chosen, retry }) {
  return html`<article class="group" data-chosen=${chosen ? "" : undefined}>
    <div><h2>${group.error}</h2><p class="dim">${group.dependency ? `at ${group.dependency}, ` : ""}first <${Ago} at=${group.since} /></p></div>
    <p><strong class="count">${group.orders}</strong> ${group.orders === 1 ? "order" : "orders"}</p>
    <p><${Amounts} of=${group.at_stake} /><br /><span class="dim">at stake</span></p>
    <div class="actions">
      <button type="button" aria-pressed=${chosen} onClick=${() => setQuery({ cause: chosen ? "" : group.cause }, false)}>${chosen ? "Show all" : "Show orders"}</button>
      ${may("bulk") && html`<button type="button" class="primary" onClick=${retry}>Retry all</button>`}
    </div>
  </article>`;
}

/** @param {{group: any, close: () => void}} props */
function RetryAll({ group, close }) {
  const kind = {
    title: `Retry ${group.orders} ${group.orders === 1 ? "order" : "orders"}`,
    path: "bulk",
    dry: true,
    fields: [{ name: "per_s", label: "Orders started a second", value: "1", options: /** @type {[string, string][]} */ ([["0.2", "one in 5 seconds"], ["1", "1"], ["5", "5"], ["20", "20"]]) }],
    body: (/** @type {any} */ v, /** @type {any} */ plan) => ({ action: "retry", group: group.cause, reason: v.reason, per_s: Number(v.per_s), token: plan?.token }),
    show: (/** @type {any} */ answer) => html`<p>The retry of ${answer.job.orders.length} orders has begun. Its progress is on the page of incidents.</p>`,
  };
  return html`<${ActionDialog} kind=${kind} close=${close} done=${(/** @type {any} */ answer) => setQuery({ job: answer.job.id })} />`;
}

const OUTCOMES = /** @type {Record<string, string>} */ ({ waiting: "mute", started: "running", still_moving: "running", ended: "closed", done: "closed", needs_approval: "attention", parked_again: "parked", not_parked: "mute", refused: "parked" });

/** A bulk job under way or done, each order with its outcome from the log. @param {{id: string, changed: () => void}} props */
function BulkJob({ id, changed }) {
  const going = useRef(false); // looking at it also starts what is due, so that nobody waits for the timer
  const job = useLoaded((signal) => (going.current && may("bulk") ? post(`bulk/${id}/advance`, undefined, { signal }) : get(`bulk/${id}`, { signal })), [id]);
  going.current = job.data?.state === "running";
  const running = job.data?.state === "running";
  useEffect(() => {
    if (!running) return changed();
    const timer = setTimeout(job.reload, 1000);
    return () => clearTimeout(timer);
  }, [job.data]);
  if (!job.data) return html`<${Trouble} problem=${job.error} />`;
  const send = async (/** @type {string} */ action) => (await post(`bulk/${id}/${action}`, undefined).catch(() => {}), job.reload());
  const { counts, orders, state, why } = job.data;
  const finished = orders.length - (counts.waiting ?? 0) - (counts.started ?? 0) - (counts.still_moving ?? 0);
  return html`<${Card} title=${html`${words(job.data.action)} ${orders.length} orders ${job.data.group ?? ""}`} note=${html`<${Badge} of=${state} /> ${why}`}>
    <div class="progress" role="progressbar" aria-label="Orders with an outcome" aria-valuemin="0" aria-valuemax=${orders.length} aria-valuenow=${finished}><span style=${{ width: `${(100 * finished) / Math.max(1, orders.length)}%` }}></span></div>
    <p>${Object.entries(counts).filter(([, n]) => n).map(([outcome, n]) => html`<span class="tally"><${Badge} of=${OUTCOMES[outcome] ?? ""} label=${words(outcome)} /> ${n}</span>`)}</p>
    <details><summary>Each order</summary><ul class="lines">${orders.map((/** @type {any} */ o) => html`<li><a href=${`orders/${o.order_id}`}><code>${o.order_id.slice(4, 14)}</code></a><span class="dim">${o.detail}</span><${Badge} of=${OUTCOMES[o.outcome] ?? ""} label=${words(o.outcome)} /></li>`)}</ul></details>
    <div class="actions">${running && html`<button type="button" onClick=${() => send("stop")}>Stop</button>`}${state === "stopped" && html`<button type="button" onClick=${() => send("resume")}>Resume</button>`}
      <a class="button" href=${address("incidents", {})}>Close</a></div>
  </${Card}>`;
}
