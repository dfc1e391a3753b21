/** The receipt as the customer has it, at the chosen moment: made when the order was completed and on each refund. */

import { eachOf, isZero, negative } from "../../core/money.js";
import { get, useLoaded } from "../../kit/api.js";
import { Download } from "../../kit/download.js";
import { Amount, Card, Said, Time, Trouble } from "../../kit/parts.js";
import { may } from "../../kit/session.js";
import { html } from "../../kit/view.js";

const OCCASIONS = ["OrderCompleted", "PaymentRefunded"];

/**
 * Return the version of the newest receipt at an event; 0 without one. A commit has one receipt, for its last occasion.
 * @param {any[]} events
 * @param {number} version
 */
function receiptVersion(events, version) {
  const occasions = events.filter((event) => OCCASIONS.includes(event.type));
  const issued = occasions.filter((event, i) => event.version <= version && occasions[i + 1]?.commit !== event.commit);
  return issued.at(-1)?.version ?? 0;
}

/** @param {any} props */
export function Receipt({ id, timeline, event }) {
  const version = may("read_receipt") ? receiptVersion(timeline.events, event.version) : 0;
  const path = `orders/${id}/receipt`;
  const loaded = useLoaded(
    async (signal) => (version ? get(path, { query: { version }, signal }) : null),
    [id, version],
  );
  const receipt = loaded.data;
  if (!version) return null;
  if (!receipt)
    return (
      loaded.error && html`<${Card} title="Receipt">
        <${Trouble} problem=${loaded.error} retry=${loaded.reload} />
      </${Card}>`
    );
  const sums = /** @type {[string, any][]} */ ([
    ["Delivery fee", receipt.delivery_fee],
    ["Service fee", receipt.service_fee],
    ["Tip", receipt.tip],
    ["Credit", negative(receipt.credit)],
    ["Cancelled", negative(receipt.cancelled)],
  ]);
  return html`<${Card}
    title="Receipt"
    note=${html`version ${receipt.version}, <${Time} at=${receipt.issued_at} />`}
    class="receipt"
  >
    <p><strong><${Said}>${receipt.restaurant.name}</${Said}></strong></p>
    <ul class="lines">
      ${receipt.lines.map((/** @type {any} */ line) => html`<li>
        <span>
          <${Said}>${line.name}</${Said}>
          ${line.options.map((/** @type {any} */ option) => html` <span class="dim">
            <${Said}>${option.name}</${Said}>
          </span>`)}
        </span>
        <span class="dim">
          ${line.quantity === line.ordered ? `${line.quantity} ×` : `${line.quantity} of ${line.ordered} ×`}${" "}
          <${Amount} of=${eachOf(line)} />
        </span>
        <strong><${Amount} of=${line.total} /></strong>
      </li>`)}
      <${Sums} of=${sums} />
      <li class="total"><strong>Total</strong><span></span><strong><${Amount} of=${receipt.total} /></strong></li>
      <li><span>Charged</span><span></span><${Amount} of=${receipt.captured} /></li>
      ${receipt.refunds.map((/** @type {any} */ refund) => html`<li>
        <span>Refunded <span class="dim"><${Time} at=${refund.at} /></span></span>
        <span></span>
        <${Amount} of=${negative(refund.amount)} />
      </li>`)}
      <li><strong>Paid</strong><span></span><strong><${Amount} of=${receipt.paid} /></strong></li>
      ${receipt.taxes.filter((/** @type {any} */ tax) => tax.rate_bp !== null).map((/** @type {any} */ tax) => html`<li
        class="dim"
      >
        <span>of which tax, ${tax.rate_bp / 100} %</span>
        <span></span>
        <${Amount} of=${tax.tax} />
      </li>`)}
    </ul>
    <div class="actions">
      <${Download}
        label="PDF"
        path=${path}
        query=${{ version }}
        type="application/pdf"
        name=${`receipt-${id}-${version}.pdf`}
      />
      <${Download}
        label="HTML"
        path=${path}
        query=${{ version }}
        type="text/html"
        name=${`receipt-${id}-${version}.html`}
      />
    </div>
  </${Card}>`;
}

/** The lines of the fees and deductions that an order has. @param {{of: [string, any][]}} props */
export const Sums = ({ of }) =>
  of.filter(([, amount]) => !isZero(amount)).map(([name, amount]) => html`<li>
    <span>${name}</span>
    <span></span>
    <${Amount} of=${amount} />
  </li>`);
