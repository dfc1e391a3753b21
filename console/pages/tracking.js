/** A customer's own order: how far it is, where the courier is, what was ordered and paid. Made for a phone. */

import { isZero } from "../core/money.js";
import { clock, day, exact } from "../core/time.js";
import { drawTrack, metresBetween, sentenceOf, stagesOf, withPosition } from "../core/tracking.js";
import { ENDED } from "../core/values.js";
import { ActionDialog } from "../kit/action.js";
import { useLive } from "../kit/live.js";
import { Ago, Amount, Card, Copy, Countdown, Facts, Said, Status, Time, Trouble } from "../kit/parts.js";
import { useRestaurant } from "../kit/restaurant.js";
import { may } from "../kit/session.js";
import { settings } from "../kit/settings.js";
import { useStore } from "../kit/store.js";
import { classes, html, useEffect, useState } from "../kit/view.js";
import { Contact } from "./order/contact.js";
import { followOrder } from "./order/following.js";
import { Receipt, Sums } from "./order/receipt.js";

const CANCELLABLE = ["placed", "authorized", "preparing", "ready"];
const SIDE = 240;

/** @param {{id: string}} props */
export default function Tracking({ id }) {
  const [{ order, timeline }, show] = useState(
    /** @type {{order: any, timeline: any}} */ ({ order: null, timeline: null }),
  );
  const [problem, fail] = useState(/** @type {any} */ (null));
  const [round, again] = useState(0);
  const [cancelling, cancel] = useState(false);
  useEffect(() => {
    const abort = new AbortController();
    followOrder(id, { reason: "" }, abort.signal, { take: (next) => (fail(null), show(next)), fail });
    return () => abort.abort();
  }, [id, round]);
  if (!order)
    return problem
      ? html`
          <div class="page-head"><h1>Your order <span class="mono">${id.slice(4, 12)}</span></h1></div>
          <${Trouble} problem=${problem} retry=${() => again(round + 1)} />
        `
      : html`<p class="boot" aria-busy="true">Reading your order.</p>`;
  const offer = order.delivery.offer;
  return html`<div class="tracking">
    <div class="page-head">
      <h1>Your order <span class="mono">${id.slice(4, 12)}</span></h1>
      <${Status} order=${order} />
    </div>
    <section class="now" aria-live="polite" aria-label="What happens now">
      <p class="sentence">${sentenceOf(order)}</p>
      ${order.preparation?.state === "accepted" && order.preparation.ready_at && html`<p>
        Ready <${Countdown} until=${order.preparation.ready_at} />
      </p>`}
      ${order.cancellation && html`<${Given} payment=${order.payment} />`}
    </section>
    <${Stages} order=${order} events=${timeline.events} />
    ${order.status === "picked_up" && offer && html`<${Courier} id=${id} />`}
    <${Lines} order=${order} />
    <${Receipt} id=${id} timeline=${timeline} event=${timeline.events.at(-1)} />
    <${Contact} order=${order} />
    <${Card} title="If something is wrong">
      <p>Tell support this number:</p>
      <p><${Copy} text=${id} label="Copy the number" /></p>
      ${may("cancel") && CANCELLABLE.includes(order.status) && !order.parked && html`<div class="actions">
        <button type="button" onClick=${() => cancel(true)}>Cancel the order</button>
      </div>`}
    </${Card}>
    ${cancelling && html`<${ActionDialog} kind=${cancellation(id)} close=${() => cancel(false)} />`}
  </div>`;
}

/** @param {string} id @returns {import("../kit/action.js").ActionKind} */
const cancellation = (id) => ({
  title: "Cancel the order",
  path: `orders/${id}/cancel`,
  dry: true,
  body: (v) => ({ reason: v.reason }),
  hint: "Read by the restaurant and by support.",
  preview: ({ plan }) =>
    plan.refused
      ? html`<p class="attention">${plan.refused.detail}</p>`
      : html`<p>The order is cancelled, and what is held or was paid is given back.</p>`,
  show: (answer) => html`<p>${sentenceOf(answer.order)}</p>`,
});

/** What became of the money of a cancelled order. @param {{payment: any}} props */
const Given = ({ payment }) => html`
  ${!isZero(payment.released) && html`<p><${Amount} of=${payment.released} /> that was held is free again.</p>`}
  ${!isZero(payment.refunded) && html`<p><${Amount} of=${payment.refunded} /> was refunded.</p>`}
`;

/**
 * The stages, the next one marked; a cancelled order shows those that it reached.
 * @param {{order: any, events: any[]}} props
 */
function Stages({ order, events }) {
  const ended = ENDED.includes(order.status) || order.status === "cancelling";
  const stages = stagesOf(events).filter(({ done }) => done || !ended);
  const next = stages.findIndex(({ done }) => !done);
  const { zone } = useStore(settings);
  const began = events.length ? day(events[0].recorded_at, zone) : "";
  return html`<ol class="stages" aria-label="Stages">
    ${stages.map(({ name, at, done }, i) => html`<li
      class=${classes(done && "done", i === next && "next")}
      aria-current=${i === next ? "step" : undefined}
    >
      <span>${name}</span>
      ${done
        ? html`<${Moment} at=${at} zone=${zone} began=${began} />`
        : html`<span class="dim">${i === next ? "now" : ""}</span>`}
    </li>`)}
  </ol>`;
}

/**
 * A time of day; with its date where that is not the day of the order.
 * @param {{at: string, zone: string, began: string}} props
 */
const Moment = ({ at, zone, began }) => html`<time dateTime=${at} title=${exact(at)}>
  ${day(at, zone) === began ? "" : `${day(at, zone)} `}
  ${clock(at, zone, false)}
</time>`;

/** Where the courier is, as the courier's device reports it every few seconds. @param {{id: string}} props */
function Courier({ id }) {
  const [track, add] = useState(/** @type {import("../core/tracking.js").Position[]} */ ([]));
  useLive(`order/${id}`, (message) => message.courier && add((before) => withPosition(before, message.courier)));
  const here = track[track.length - 1];
  if (!here)
    return html`<${Card} title="The courier">
      <p class="dim">The courier's position is shown as soon as the courier's device sends it.</p>
    </${Card}>`;
  const { points, scale_m: scale } = drawTrack(track, SIDE);
  const place = `${here.latitude.toFixed(5)}, ${here.longitude.toFixed(5)}`;
  return html`<${Card} title="The courier" note=${html`<${Ago} at=${here.at} />`} class="courier">
    <svg
      viewBox="0 0 ${SIDE} ${SIDE}"
      width=${SIDE}
      height=${SIDE}
      role="img"
      aria-label=${`The way of the courier, now at ${place}`}
    >
      <polyline points=${points.map((point) => point.map((n) => n.toFixed(1)).join(",")).join(" ")} />
      <circle class="halo" cx=${SIDE / 2} cy=${SIDE / 2} r="14" />
      <circle class="core" cx=${SIDE / 2} cy=${SIDE / 2} r="6" />
      <path class="scale" d="M12 ${SIDE - 14}v6h${SIDE / 4}v-6" />
      <text x="12" y=${SIDE - 20}>${scale >= 1000 ? `${scale / 1000} km` : `${scale} m`}</text>
      <text x=${SIDE - 14} y="22" text-anchor="end">north ↑</text>
    </svg>
    <${Facts} rows=${[
      ["Position", html`<a href=${`geo:${here.latitude},${here.longitude}`}>${place}</a>`],
      ["Moved", track.length < 2 ? null : `${Math.round(metresBetween(track[0], here))} m since this page shows it`],
    ]} />
  </${Card}>`;
}

/** @param {{order: any}} props */
function Lines({ order }) {
  const { totals, payment } = order;
  const place = useRestaurant(order.restaurant);
  const sums = /** @type {[string, any][]} */ ([
    ["Delivery fee", totals.delivery_fee],
    ["Service fee", totals.service_fee],
    ["Tip", totals.tip],
    ["Credit", totals.credited],
  ]);
  return html`<${Card}
    title="What you ordered"
    note=${html`<${Said}>${place.name}</${Said}>, <${Time} at=${order.placed_at} />`}
    class="receipt"
  >
    <ul class="lines">
      ${order.lines.map((/** @type {any} */ line) => html`<li>
        <span>
          <${Said}>${line.name}</${Said}>
          ${line.quantity < line.ordered && html` <span class="attention">
            ${line.ordered - line.quantity} sold out
          </span>`}
          ${line.options.length > 0 && html` <span class="dim">
            ${line.options.map((/** @type {any} */ option) => option.name ?? option).join(", ")}
          </span>`}
        </span>
        <span class="dim">${line.quantity} × <${Amount} of=${line.unit_price} /></span>
        <strong><${Amount} of=${line.total} /></strong>
      </li>`)}
      <${Sums} of=${sums} />
      <li class="total"><strong>Total</strong><span></span><strong><${Amount} of=${totals.total} /></strong></li>
      ${
        /** @type {[string, any][]} */ ([
          ["Held", !ENDED.includes(order.status) && isZero(payment.captured) && payment.authorized],
          ["Charged", payment.captured],
          ["Refunded", payment.refunded],
        ])
          .filter(([, amount]) => amount && !isZero(amount))
          .map(
            ([name, amount]) => html`<li class="dim"><span>${name}</span><span></span><${Amount} of=${amount} /></li>`,
          )
      }
    </ul>
  </${Card}>`;
}
