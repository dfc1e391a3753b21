/** Erasing a customer: what goes and what stays, who has to approve it, how far it is, and the receipts. */

import { ActionDialog } from "../../kit/action.js";
import { get, quoted, useLoaded } from "../../kit/api.js";
import { Ago, Badge, Card, Empty, Facts, Said, Time, Trouble, actorWords } from "../../kit/parts.js";
import { setQuery } from "../../kit/router.js";
import { may, me } from "../../kit/session.js";
import { Table } from "../../kit/table.js";
import { html, useEffect, useState } from "../../kit/view.js";
import { PastErasures } from "./past_erasures.js";

const EVERY_MS = 2000;
const TONES = /** @type {Record<string, string>} */ ({
  kept: "mute", proposed: "half_open", destroying: "running", cleaning: "running", erased: "closed",
});

/** @param {{query: Record<string, string>}} props */
export function Erasures({ query }) {
  const [typed, type] = useState(query.customer ?? "");
  const list = useLoaded((signal) => get("erasures", { signal }), []);
  const look = (/** @type {Event} */ event) => (event.preventDefault(), setQuery({ customer: typed.trim() }));
  return html`
    <form class="filters" onSubmit=${look}>
      <label class="field grow">
        <span>Customer</span>
        <input
          type="text"
          required
          value=${typed}
          placeholder="cus_…"
          onInput=${(/** @type {any} */ e) => type(e.target.value)}
        />
      </label>
      <button type="submit">Look up</button>
    </form>
    ${query.customer && html`<${Erasure} key=${query.customer} customer=${query.customer} changed=${list.reload} />`}
    <h2 class="sub">Not ended yet</h2>
    <${Trouble} problem=${list.error} retry=${list.reload} />
    ${list.data && html`<${Table}
      label="Erasures that have not ended"
      columns=${COLUMNS}
      rows=${list.data.erasures}
      id=${(/** @type {any} */ e) => e.customer}
      empty=${html`<${Empty}>No erasure waits for a second person or is under way.</${Empty}>`}
    />`}
    ${may("read_checkpoints") && html`<${PastErasures} />`}
  `;
}

const COLUMNS = [
  {
    label: "Customer",
    cell: (/** @type {any} */ e) => html`<a href=${`audit/erasures?customer=${quoted(e.customer)}`} data-row>
      <${Said}>${e.customer}</${Said}>
    </a>`,
  },
  { label: "State", cell: (/** @type {any} */ e) => html`<${Badge} of=${TONES[e.state]} label=${e.state} />` },
  {
    label: "Proposed by",
    late: true,
    cell: (/** @type {any} */ e) => e.proposed && html`<${Said}>${actorWords(e.proposed.by)}</${Said}>`,
  },
  {
    label: "Reason",
    wide: true,
    cell: (/** @type {any} */ e) => e.proposed && html`<${Said}>${e.proposed.reason}</${Said}>`,
  },
  {
    label: "Proposed",
    align: /** @type {"end"} */ ("end"),
    cell: (/** @type {any} */ e) => e.proposed && html`<${Ago} at=${e.proposed.at} />`,
  },
];

/** One customer. @param {{customer: string, changed: () => void}} props */
function Erasure({ customer, changed }) {
  const [acting, act] = useState("");
  const read = useLoaded((signal) => get(`customers/${quoted(customer)}/erasure`, { signal }), [customer]);
  const erasure = read.data;
  // what changes without this reader
  const goesOn = ["destroying", "cleaning"].includes(erasure?.state) || erasure?.open_orders.length > 0;
  useEffect(() => {
    if (!goesOn) return;
    const timer = setInterval(read.reload, EVERY_MS);
    return () => clearInterval(timer);
  }, [goesOn]);
  if (!erasure) return html`<${Trouble} problem=${read.error} retry=${read.reload} />`;
  const own = erasure.proposed?.by.role === me.value?.role && erasure.proposed?.by.id === me.value?.id;
  const proposed = erasure.state === "proposed";
  return html`<${Card}
    title=${html`Customer <${Said}>${customer}</${Said}>`}
    note=${html`<${Badge} of=${TONES[erasure.state]} label=${erasure.state} />`}
  >
    <${Trouble} problem=${read.error} />
    ${proposed && html`<p class="attention">
      Proposed by <${Said}>${actorWords(erasure.proposed.by)}</${Said}> on <${Time} at=${erasure.proposed.at} />:
      “<${Said}>${erasure.proposed.reason}</${Said}>”.${" "}
      ${own ? "Another person of support has to approve it." : "A second person of support has to approve it."}
    </p>`}
    ${erasure.approved && html`<p>
      Approved by <${Said}>${actorWords(erasure.approved.by)}</${Said}> on <${Time} at=${erasure.approved.at} />
      ${erasure.approved.destroyed_at && html`
        ; the key was destroyed on <${Time} at=${erasure.approved.destroyed_at} />
      `}
      ${erasure.approved.reason && html`: “<${Said}>${erasure.approved.reason}</${Said}>”`}.
    </p>`}
    <${Facts} rows=${[
      ["Key", erasure.key_id ? html`<code>${erasure.key_id}</code>` : "none"],
      ["Orders", erasure.orders],
      ["Fields that can be read", erasure.fields],
      ["Webhook deliveries", `${erasure.deliveries}, ${erasure.pending} not sent`],
    ]} />
    ${erasure.open_orders.length > 0 && html`<div class="preview refused space-above">
      <h3>Open orders refuse it</h3>
      <ul>
        ${erasure.open_orders.map((/** @type {any} */ o) => html`<li>
          <a href=${`orders/${o.order_id}`}><code>${o.order_id}</code></a> waits for ${o.waits_for}
        </li>`)}
      </ul>
    </div>`}
    ${erasure.goes.length > 0 && html`<${Effect} erasure=${erasure} />`}
    ${may("erase_customer") && html`<div class="actions">
      ${erasure.state === "kept" && erasure.key_id && html`<button
        type="button"
        disabled=${erasure.open_orders.length > 0}
        onClick=${() => act("erase")}
      >
        Propose to erase
      </button>`}
      ${proposed && !own && html`<button type="button" class="primary" onClick=${() => act("approve")}>
        Approve
      </button>`}
      ${proposed && html`<button type="button" onClick=${() => act("reject")}>${own ? "Withdraw" : "Reject"}</button>`}
    </div>`}
    ${erasure.receipts.map((/** @type {any} */ receipt) => html`<${Receipt} receipt=${receipt} />`)}
    ${acting && html`<${ActionDialog}
      kind=${kindOf(acting, customer, own)}
      close=${() => act("")}
      done=${() => (read.reload(), changed())}
    />`}
  </${Card}>`;
}

/** @param {{erasure: any}} props */
const Effect = ({ erasure }) => html`<div class="preview space-above">
  <h3>Goes</h3>
  <ul>${erasure.goes.map((/** @type {string} */ what) => html`<li>${what}</li>`)}</ul>
  <h3>Stays</h3>
  <ul>
    ${erasure.stays.map((/** @type {any} */ each) => html`<li>
      ${each.what.replace(/\.$/, "")}: <span class="dim">${each.why}</span>
    </li>`)}
  </ul>
</div>`;

/**
 * @param {string} acting
 * @param {string} customer
 * @param {boolean} own
 * @returns {import("../../kit/action.js").ActionKind}
 */
function kindOf(acting, customer, own) {
  const path = `customers/${quoted(customer)}/erase`;
  const show = (/** @type {any} */ answer) => html`<p>The erasure is now: ${answer.state}.</p>`;
  const body = (/** @type {Record<string, string>} */ v) => ({ reason: v.reason });
  const preview = (/** @type {any} */ plan) => html`<${Effect} erasure=${plan} />`;
  if (acting === "erase")
    return {
      title: `Propose to erase ${customer}`,
      path,
      dry: true,
      body,
      effect: "Nothing is destroyed until a second person approves it.",
      preview,
      show,
    };
  if (acting === "approve")
    return {
      title: `Approve: erase ${customer}`,
      path: `${path}/approve`,
      dry: true,
      body,
      effect: html`<strong>This cannot be undone.</strong> The key is destroyed at once.`,
      preview,
      show,
    };
  return {
    title: own ? "Withdraw the proposal" : "Reject the proposal",
    path: `${path}/reject`,
    body,
    effect: "Nothing is erased.",
    show,
  };
}

/** @param {{receipt: any}} props */
const Receipt = ({ receipt }) => html`<h3 class="sub">Receipt of <${Time} at=${receipt.erased_at} /></h3>
  <${Facts} rows=${[
    ["Reason", html`<${Said}>${receipt.reason}</${Said}>`],
    ["Proposed by", html`<${Said}>${actorWords(receipt.proposed_by)}</${Said}>`],
    ["Approved by", html`<${Said}>${actorWords(receipt.approved_by)}</${Said}>, <${Time} at=${receipt.approved_at} />`],
    ["Reason of the approval", html`<${Said}>${receipt.approval_reason}</${Said}>`],
    ["Key destroyed", html`<code>${receipt.key_id}</code>, <${Time} at=${receipt.destroyed_at} />`],
    ["Unreadable since", `${receipt.fields} fields of ${receipt.orders} orders`],
    ["Webhook deliveries deleted", receipt.deliveries],
  ]} />`;
