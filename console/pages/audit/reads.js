/** Who was shown whose personal data, when, by which request and why; and the queries and exports of auditors. */

import { Days } from "../../kit/days.js";
import { Dialog } from "../../kit/dialog.js";
import { usePaged } from "../../kit/paged.js";
import { Empty, Facts, Said, Time, Trouble, actorWords } from "../../kit/parts.js";
import { Table } from "../../kit/table.js";
import { TextFilter } from "../../kit/text_filter.js";
import { html, useState } from "../../kit/view.js";

/** @param {{query: Record<string, string>}} props */
export function Reads({ query }) {
  const list = usePaged("access-log", "reads", query);
  const [chosen, choose] = useState(/** @type {any} */ (null));
  const text = (/** @type {string} */ name, /** @type {string} */ label) =>
    html`<${TextFilter} query=${query} name=${name} label=${label} />`;
  return html`
    <div class="filters" role="group" aria-label="Filters">
      ${text("actor", "Reader")} ${text("order", "Order")} ${text("customer", "Customer")}${" "}
      <${Days} query=${query} from="read_from" to="read_to" />${" "}
      ${Object.keys(query).length > 0 && html`<a href="audit/reads">Clear</a>`}
    </div>
    <${Trouble} problem=${list.problem} retry=${list.reload} />
    <${Table}
      label="Reads of personal data"
      columns=${columns(choose)}
      rows=${list.rows}
      id=${(/** @type {any} */ r) => `${r.at}:${r.actor.id}:${r.order_id}`}
      more=${list.more}
      empty=${!list.loading && !list.problem && html`<${Empty}>No such read is recorded.</${Empty}>`}
    />
    ${chosen && html`<${Read} read=${chosen} close=${() => choose(null)} />`}
  `;
}

/** One read in full. @param {{read: any, close: () => void}} props */
const Read = ({ read, close }) => html`<${Dialog} title="What was read" close=${close} wide>
  <div class="dialog-body">
    <${Facts} rows=${[
      ["When", html`<${Time} at=${read.at} />`],
      ["Reader", html`<${Said}>${actorWords(read.actor)}</${Said}>`],
      ["Order", read.order_id && html`<a href=${`orders/${read.order_id}`}><code>${read.order_id}</code></a>`],
      ["Customer", read.customer && html`<${Said}>${read.customer}</${Said}>`],
      ["Fields", read.fields.join(", ")],
      ["Request", html`<code>${read.route}</code>`],
      ["Reason", read.reason && html`<${Said}>${read.reason}</${Said}>`],
    ]} />
    ${read.request && html`<pre tabindex="0">${read.request}</pre>`}
  </div>
</${Dialog}>`;

/** @param {(read: any) => void} choose */
const columns = (choose) => [
  {
    label: "When",
    cell: (/** @type {any} */ r) => html`<button type="button" class="link" data-row onClick=${() => choose(r)}>
      <${Time} at=${r.at} />
    </button>`,
  },
  { label: "Reader", cell: (/** @type {any} */ r) => html`<${Said}>${actorWords(r.actor)}</${Said}>` },
  {
    label: "Order",
    cell: (/** @type {any} */ r) =>
      r.order_id && html`<a href=${`orders/${r.order_id}`}><code>${r.order_id.slice(4, 14)}</code></a>`,
  },
  {
    label: "Customer",
    late: true,
    cell: (/** @type {any} */ r) => r.customer && html`<${Said}>${r.customer}</${Said}>`,
  },
  { label: "Fields", late: true, cell: (/** @type {any} */ r) => r.fields.join(", ") },
  { label: "Request", late: true, cell: (/** @type {any} */ r) => html`<code>${r.route}</code>` },
  {
    label: "Reason",
    wide: true,
    cell: (/** @type {any} */ r) =>
      r.reason
        ? html`<${Said}>${r.reason}</${Said}>`
        : r.request
          ? html`<code class="dim">${r.request}</code>`
          : html`<span class="dim">none given</span>`,
  },
];
