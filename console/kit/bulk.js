/**
 * Bulk jobs: one action on several orders, planned first, begun with the plan's token, with the outcome of each order.
 */

import { ActionDialog } from "./action.js";
import { get, post, useLoaded } from "./api.js";
import { Amounts, Badge, Card, Said, Time, Trouble, actorWords, words } from "./parts.js";
import { may } from "./session.js";
import { html, useEffect, useRef, useState } from "./view.js";

/** @typedef {"retry" | "cancel" | "credit" | "note"} BulkAction */
/** @typedef {{order_ids: string[]} | {group: string}} Chosen */

export const BULK_ACTIONS = /** @type {[BulkAction, string][]} */ ([
  ["retry", "Retry"],
  ["cancel", "Cancel"],
  ["credit", "Credit"],
  ["note", "Add a note to"],
]);

const PACE = {
  name: "per_s",
  label: "Orders a second",
  value: "1",
  options: /** @type {[string, string][]} */ ([
    ["0.2", "one in 5 seconds"],
    ["1", "1"],
    ["5", "5"],
    ["20", "20"],
  ]),
};
const FAULT = {
  name: "fault",
  label: "At fault",
  options: /** @type {[string, string][]} */ ([
    ["platform", "the platform"],
    ["restaurant", "the restaurant"],
    ["courier", "the courier"],
    ["customer", "the customer"],
  ]),
};

/** @param {number} count */
export const ordersInWords = (count) => `${count} ${count === 1 ? "order" : "orders"}`;

/**
 * The plan of a bulk action and its start.
 * @param {{action: BulkAction, chosen: Chosen, count: number, currencies?: string[], close: () => void, begun: (job:
 *   any) => void}} props
 */
export function BulkDialog({ action, chosen, count, currencies = [], close, begun }) {
  // once it has begun, nothing is chosen any more
  const [title] = useState(`${BULK_ACTIONS.find(([each]) => each === action)?.[1]} ${ordersInWords(count)}`);
  const amount = [
    { name: "amount", label: "Amount for each order", type: "number", step: "0.01" },
    {
      name: "currency",
      label: "Currency",
      options: currencies.map((each) => /** @type {[string, string]} */ ([each, each])),
    },
    FAULT,
  ];
  const kind = {
    title,
    path: "bulk",
    dry: true,
    fields: [...(action === "credit" ? amount : []), PACE],
    reason: action === "note" ? "Note" : "Reason",
    body: (/** @type {Record<string, string>} */ v, /** @type {any} */ plan) => ({
      action,
      ...chosen,
      reason: v.reason,
      per_s: Number(v.per_s),
      token: plan?.token,
      ...(action === "credit" && { amount: { amount: v.amount, currency: v.currency }, fault: v.fault }),
    }),
    show: (/** @type {any} */ answer) => html`<p>
      It has begun on ${ordersInWords(answer.job.orders.length)}. Close this to see its progress and the outcome of each
      order.
    </p>`,
  };
  return html`<${ActionDialog} kind=${kind} close=${close} done=${(/** @type {any} */ answer) => begun(answer.job)} />`;
}

const OUTCOMES = /** @type {Record<string, string>} */ ({
  waiting: "mute", started: "running", still_moving: "running", ended: "closed", done: "closed",
  needs_approval: "half_open", parked_again: "parked", not_parked: "mute", refused: "parked",
});

/** @param {string} id @param {string} acting @returns {import("./action.js").ActionKind} */
const changeKind = (id, acting) => ({
  title: acting === "stop" ? "Stop the bulk job" : "Resume the bulk job",
  path: `bulk/${id}/${acting}`,
  dry: true,
  body: (v) => ({ reason: v.reason }),
  preview: ({ plan }) => html`<p>
    The job is then ${words(plan.state)}. ${ordersInWords(plan.waiting)} that wait
    are ${plan.state === "running" ? "started, at its pace" : "not started"}. The ${plan.started} that were started
    continue.
  </p>`,
  show: (/** @type {any} */ answer) => html`<p>The job is now: ${words(answer.state)}.</p>`,
});

/**
 * A bulk job under way or done, each order with its outcome from the log.
 * @param {{id: string, changed: () => void, close: () => void}} props
 */
export function BulkJob({ id, changed, close }) {
  const [acting, act] = useState("");
  // looking at it also acts on the orders that are due, so that the timer need not come round
  const going = useRef(false);
  const job = useLoaded(
    (signal) =>
      going.current && may("bulk") ? post(`bulk/${id}/advance`, undefined, { signal }) : get(`bulk/${id}`, { signal }),
    [id],
  );
  going.current = job.data?.state === "running";
  const running = job.data?.state === "running";
  useEffect(() => {
    if (!running) return changed();
    const timer = setTimeout(job.reload, 1000);
    return () => clearTimeout(timer);
  }, [job.data]);
  if (!job.data) return html`<${Trouble} problem=${job.error} />`;
  const { action, group, reason, actor, counts, orders, state, why, changes, at_stake: stake, per_s: pace } = job.data;
  const finished = orders.length - (counts.waiting ?? 0) - (counts.started ?? 0) - (counts.still_moving ?? 0);
  return html`<${Card}
    title=${html`
      ${BULK_ACTIONS.find(([each]) => each === action)?.[1] ?? words(action)} ${ordersInWords(orders.length)}
      ${group ? `, ${group}` : ""}
    `}
    note=${html`<${Badge} of=${state} /> ${why}`}
    class="bulk-job"
  >
    <p class="dim">${actor.id}: <bdi>${reason}</bdi>. <${Amounts} of=${stake} /> at stake, ${pace} a second.</p>
    <div
      class="progress"
      role="progressbar"
      aria-label="Orders with an outcome"
      aria-valuemin="0"
      aria-valuemax=${orders.length}
      aria-valuenow=${finished}
    >
      <span style=${{ width: `${(100 * finished) / Math.max(1, orders.length)}%` }}></span>
    </div>
    <p>
      ${Object.entries(counts).filter(([, n]) => n).map(([outcome, n]) => html`<span class="tally">
        <${Badge} of=${OUTCOMES[outcome] ?? ""} label=${words(outcome)} /> ${n}
      </span>`)}
    </p>
    <details>
      <summary>Each order</summary>
      <ul class="lines">
        ${orders.map((/** @type {any} */ o) => html`<li>
          <a href=${`orders/${o.order_id}`}><code>${o.order_id.slice(4, 14)}</code></a>
          <span class="dim">${o.detail}</span>
          <${Badge} of=${OUTCOMES[o.outcome] ?? ""} label=${words(o.outcome)} />
        </li>`)}
      </ul>
    </details>
    <div class="actions">
      ${running && may("bulk") && html`<button type="button" onClick=${() => act("stop")}>Stop</button>`}
      ${state === "stopped" && may("bulk") && html`<button type="button" onClick=${() => act("resume")}>
        Resume
      </button>`}
      <button type="button" onClick=${close}>Close</button>
    </div>
    ${changes.length > 0 && html`<ul class="lines" aria-label="Stops and resumptions">
      ${changes.map((/** @type {any} */ c) => html`<li>
        ${words(c.state)} by ${actorWords(c.by)} on <${Time} at=${c.at} />: <${Said}>${c.reason}</${Said}>
      </li>`)}
    </ul>`}
    ${acting && html`<${ActionDialog} kind=${changeKind(id, acting)} close=${() => act("")} done=${job.reload} />`}
  </${Card}>`;
}
