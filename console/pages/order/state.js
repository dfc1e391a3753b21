/** The order's state at the chosen moment, by saga. What the event changed is marked. */

import { eachOf, isZero, money, negative } from "../../core/money.js";
import { changesOf } from "../../core/sagas.js";
import { causeWords, inWords, words } from "../../core/values.js";
import { Card, Said } from "../../kit/parts.js";
import { settings } from "../../kit/settings.js";
import { useStore } from "../../kit/store.js";
import { classes, html } from "../../kit/view.js";

/** @param {any} props */
export function State({ state, states, event, index }) {
  const { zone } = useStore(settings);
  if (!state?.lines)
    return html`<${Card} title=${`State after event ${event.version}`}>
      <p class="dim">This release cannot read it.</p>
    </${Card}>`;
  const changed =
    states[index] && event.version > 1 ? changesOf(states[index], event).map(({ path }) => path.join("/")) : [];
  const row = (
    /** @type {any} */ name,
    /** @type {string} */ path,
    /** @type {any} */ value,
    /** @type {boolean} */ always = true,
  ) =>
    always && html`<div
      class=${classes(
        changed.some((each) => each === path || each.startsWith(`${path}/`) || path.startsWith(`${each}/`)) &&
          "changed",
      )}
    >
      <dt>${name}</dt>
      <dd><${Said}>${inWords(value, zone)}</${Said}></dd>
    </div>`;
  const { payment, preparation, delivery, totals, cancellation } = state;
  const offers = Object.values(delivery.offers);
  return html`<${Card} title=${`State after event ${event.version}`} note="computed from the events until then">
    <div class="state">
      <section data-saga="order">
        <h3>Order</h3>
        <dl>
          ${Object.entries(state.lines).map(([number, line]) =>
            row(
              html`<bdi>
                ${[line.name, ...line.options.map((/** @type {any} */ option) => option.name)].join(", ")}
              </bdi>`,
              `lines/${number}`,
              `${line.quantity}${line.quantity === line.ordered ? "" : ` of ${line.ordered}`} × ${money(eachOf(line))}`,
            ),
          )}
          ${row("delivery fee", "totals/delivery_fee", totals.delivery_fee, !isZero(totals.delivery_fee))}
          ${row("service fee", "totals/service_fee", totals.service_fee, !isZero(totals.service_fee))}
          ${row("tip", "totals/tip", totals.tip, !isZero(totals.tip))}
          ${row("credited", "totals/credited", negative(totals.credited), !isZero(totals.credited))}
          ${row("total", "totals/total", totals.total)}
          ${cancellation &&
            row("cancellation", "cancellation", `${causeWords(cancellation.cause)}, at fault: ${cancellation.fault}`)}
        </dl>
      </section>
      <section data-saga="payment">
        <h3>Payment</h3>
        <dl>
          ${row(
            "hold",
            "payment/authorization/state",
            payment.authorization ? words(payment.authorization.state) : "not asked",
          )}
          ${row("authorized", "payment/authorized", payment.authorized)}
          ${row("captured", "payment/captured", payment.captured)}
          ${row("released", "payment/released", payment.released)}
          ${row("refunded", "payment/refunded", payment.refunded)}
          ${row("method", "payment/method", payment.method, !payment.method.startsWith("("))}
        </dl>
      </section>
      <section data-saga="preparation">
        <h3>Preparation</h3>
        <dl>
          ${preparation
            ? html`
                ${row("status", "preparation/state", words(preparation.state))}
                ${row("ticket", "preparation/ticket", preparation.ticket)}
                ${row("ready at", "preparation/ready_at", preparation.ready_at, Boolean(preparation.ready_at))}
              `
            : html`<div><dt class="dim">no ticket yet</dt></div>`}
        </dl>
      </section>
      <section data-saga="delivery">
        <h3>Delivery</h3>
        <dl>
          ${offers.map((/** @type {any} */ offer) =>
            row(
              `attempt ${offer.attempt}`,
              `delivery/offers/${offer.offer}`,
              [words(offer.state), offer.courier].filter(Boolean).join(", "),
            ),
          )}
          ${row("picked up", "delivery/picked_up", delivery.picked_up, offers.length > 0)}
          ${row("delivered", "delivery/delivered", deliveredWords(delivery.delivered, offers), offers.length > 0)}
          ${offers.length === 0 && html`<div><dt class="dim">no courier asked yet</dt></div>`}
        </dl>
      </section>
    </div>
  </${Card}>`;
}

/**
 * A report that the order was delivered stays in the log, also if the delivery is confirmed to have failed afterwards.
 * @param {boolean} delivered
 * @param {any[]} offers
 */
const deliveredWords = (delivered, offers) =>
  delivered && offers.at(-1)?.state === "failed" ? "reported, but it failed" : delivered;
