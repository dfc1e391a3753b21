/** Requests that wait for a second person: never your own. */

import { ActionDialog } from "../kit/action.js";
import { get, useLoaded } from "../kit/api.js";
import { useLive } from "../kit/live.js";
import { usePaged } from "../kit/paged.js";
import { Ago, Amount, Badge, Choice, Empty, Said, Trouble, actorWords, words } from "../kit/parts.js";
import { setQuery } from "../kit/router.js";
import { may, me } from "../kit/session.js";
import { Table } from "../kit/table.js";
import { html, useState } from "../kit/view.js";

/** Events that change the list. */
const CHANGES = new Set(["ApprovalRequested", "ApprovalGiven", "ApprovalRejected"]);

/** @param {{query: Record<string, string>}} props */
export default function Approvals({ query }) {
  const [newest, include] = useState("");
  const list = usePaged("approvals", "approvals", {
    open: query.open ?? "true",
    by_others: query.by_others,
    wait_for: newest,
  });
  /** Read the list again, with what was just decided: lists follow the log a moment later. */
  const decided = (/** @type {any} */ { order }) =>
    order?.version ? include(`${order.id}:${order.version}`) : list.reload();
  useLive(
    "orders",
    ({ order_id: id, version, events }) =>
      events?.some((/** @type {any} */ { type }) => CHANGES.has(type)) && include(`${id}:${version}`),
    { begun: list.reload },
  );
  const [chosen, choose] = useState(/** @type {any} */ (null));
  const [rejected, reject] = useState(/** @type {any} */ (null));
  const own = (/** @type {any} */ a) => a.by.role === me.value?.role && a.by.id === me.value?.id;
  const columns = [
    {
      label: "Order",
      cell: (/** @type {any} */ a) => html`<a href=${`orders/${a.order_id}`} data-row>
        <code>${a.order_id.slice(4, 14)}</code>
      </a>`,
    },
    { label: "Request", cell: (/** @type {any} */ a) => words(a.action) },
    { label: "Amount", align: "end", cell: (/** @type {any} */ a) => html`<${Amount} of=${a.amount} />` },
    {
      label: "Asked by",
      wide: true,
      late: true,
      cell: (/** @type {any} */ a) => html`
        <${Said}>${actorWords(a.by)}</${Said}>
        ${own(a) && html` <span class="dim">(you)</span>`}
      `,
    },
    { label: "Order is", late: true, cell: (/** @type {any} */ a) => html`<${Badge} of=${a.order_status} />` },
    { label: "Asked", align: "end", late: true, cell: (/** @type {any} */ a) => html`<${Ago} at=${a.requested_at} />` },
    {
      label: "Actions",
      align: "end",
      cell: (/** @type {any} */ a) =>
        a.open
          ? html`
              ${may("approve") && !own(a) && html`<button type="button" onClick=${() => choose(a)}>Review</button> `}
              ${may("reject_request") && html`<button type="button" onClick=${() => reject(a)}>
                ${own(a) ? "Withdraw" : "Reject"}
              </button>`}
            `
          : html`<span class="dim">
              ${a.given_by ? `${a.rejected ? "rejected" : "approved"} by ${a.given_by}` : "closed"}
            </span>`,
    },
  ];
  return html`
    <div class="page-head"><h1>Approvals</h1></div>
    <div class="filters" role="group" aria-label="Filters">
      <${Choice}
        label="Show"
        value=${query.open ?? "true"}
        options=${[
          ["true", "open"],
          ["false", "decided"],
        ]}
        choose=${(/** @type {string} */ open) => setQuery({ open: open === "true" ? "" : open })}
      />
      ${may("approve") && html`<button
        type="button"
        aria-pressed=${query.by_others === "true"}
        onClick=${() => setQuery({ by_others: query.by_others ? "" : "true" })}
      >
        Only those that you may approve
      </button>`}
    </div>
    <${Trouble} problem=${list.problem} retry=${list.reload} />
    <${Table}
      label="Approvals"
      columns=${columns}
      rows=${list.rows}
      id=${(/** @type {any} */ a) => `${a.order_id}:${a.approval}`}
      more=${list.more}
      empty=${!list.loading && !list.problem && html`<${Empty}>
        ${query.open === "false" ? "Nothing was decided yet." : "Nothing waits for a second person."}
      </${Empty}>`}
    />
    ${chosen && html`<${Review} approval=${chosen} close=${() => choose(null)} done=${decided} />`}
    ${rejected && html`<${Reject}
      approval=${rejected}
      own=${own(rejected)}
      close=${() => reject(null)}
      done=${decided}
    />`}
  `;
}

/** Who asks for what, and why: the list does not have the reason. @param {{approval: any}} props */
function Asked({ approval }) {
  const why = useLoaded((signal) => get(`orders/${approval.order_id}/why`, { signal }), [approval.order_id]);
  const reason = why.data?.approvals.find((/** @type {any} */ each) => each.approval === approval.approval)?.reason;
  return html`
    <p>
      <strong>${words(approval.action)} <${Amount} of=${approval.amount} /></strong>, asked
      by <${Said}>${actorWords(approval.by)}</${Said}> <${Ago} at=${approval.requested_at} />
      ${reason && html`: <q><${Said}>${reason}</${Said}></q>`}
    </p>
    <${Trouble} problem=${why.error} retry=${why.reload} />
  `;
}

/** @param {{approval: any, own: boolean, close: () => void, done: (answer: any) => void}} props */
function Reject({ approval, own, close, done }) {
  const kind = {
    title: `${own ? "Withdraw" : "Reject"}: ${words(approval.action)}`,
    path: `incidents/${approval.order_id}/reject`,
    dry: true,
    order: approval.order_id,
    since: approval.version,
    effect: html`<${Asked} approval=${approval} />`,
    body: (/** @type {Record<string, string>} */ v) => ({ approval: approval.approval, reason: v.reason }),
  };
  return html`<${ActionDialog} kind=${kind} close=${close} done=${done} />`;
}

/** @param {{approval: any, close: () => void, done: (answer: any) => void}} props */
function Review({ approval, close, done }) {
  const kind = {
    title: `Approve: ${words(approval.action)}`,
    effect: html`<${Asked} approval=${approval} />`,
    path: `incidents/${approval.order_id}/approve`,
    body: (/** @type {Record<string, string>} */ v) => ({ approval: approval.approval, reason: v.reason }),
    dry: true,
    order: approval.order_id,
    since: approval.version,
  };
  return html`<${ActionDialog} kind=${kind} close=${close} done=${done} />`;
}
