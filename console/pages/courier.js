/** A courier's board: open offers, and the deliveries that the courier took. */

import { get, post, useLoaded } from "../kit/api.js";
import { Sending, WithReason, useBoardList, useDeadlines, useReports } from "../kit/board.js";
import { Ago, Badge, Countdown, Empty, Said, Trouble } from "../kit/parts.js";
import { useRestaurant } from "../kit/restaurant.js";
import { me } from "../kit/session.js";
import { html, useEffect, useState } from "../kit/view.js";

const POSITION_EVERY_MS = 5000;

/** Why a delivery is not possible, and at whose fault. @type {Record<string, string>} */
const FAILURES = {
  "the customer is not there": "customer",
  "the address is wrong": "customer",
  "the meal is damaged": "courier",
  "an accident or a breakdown": "courier",
};
const DECLINES = ["too far away", "no time now"];
const RETURNS = ["it takes too long at the restaurant", "an accident or a breakdown"];

export default function Courier() {
  const topic = me.value?.role === "courier" ? `courier/${me.value.id}` : "orders";
  const open = useBoardList("offers", { open: true, limit: 50 }, topic);
  const own = useBoardList("offers", { open: false, limit: 20 }, topic);
  const deadlines = useDeadlines("assignment", topic);
  const changed = (/** @type {any} */ order) => (open.changed(order), own.changed(order));
  const reload = () => (open.reload(), own.reload());
  const taken = (own.data?.offers ?? []).filter((/** @type {any} */ o) => ["assigned", "picked_up"].includes(o.state));
  const card = (/** @type {any} */ o) =>
    html`<${Delivery}
      key=${`${o.order_id}:${o.offer}`}
      offer=${o}
      until=${deadlines[o.order_id]}
      changed=${changed}
    />`;
  return html`
    <div class="page-head"><h1>Deliveries</h1></div>
    <${Trouble} problem=${open.error ?? own.error} retry=${reload} />
    <div class="board two">
      <section aria-labelledby="mine">
        <h2 id="mine">Yours <span class="dim">${taken.length}</span></h2>
        ${taken.length ? taken.map(card) : own.data && html`<${Empty}>You have no delivery.</${Empty}>`}
      </section>
      <section aria-labelledby="open">
        <h2 id="open">Open offers <span class="dim">${open.data?.offers.length ?? 0}</span></h2>
        ${open.data?.offers.length
          ? open.data.offers.map(card)
          : open.data && html`<${Empty}>No offer is open.</${Empty}>`}
      </section>
    </div>
  `;
}

/**
 * @param {{offer: any, until: string | undefined, changed: (order: any) => void}} props `until`: when a courier has to
 *   have answered
 */
function Delivery({ offer, until, changed }) {
  const { problem, sending, send: report } = useReports(offer, changed);
  const isOwn = me.value?.role === "courier";
  const place = useRestaurant(offer.restaurant);
  const carried = isOwn && offer.state === "picked_up";
  const send = (/** @type {string} */ action, body = {}) =>
    report(`orders/${offer.order_id}/delivery/${action}`, { offer: offer.offer, ...body });
  return html`<article class="ticket" data-state=${offer.state} aria-busy=${sending ? "true" : undefined}>
    <header>
      <a href=${`orders/${offer.order_id}`}><strong>#${offer.order_id.slice(4, 9)}</strong></a>
      <${Badge} of=${offer.order_status} />
    </header>
    ${offer.open && until && html`<p class="answer-by">
      Answer <${Countdown} until=${until} />, or another courier is asked
    </p>`}
    <p>
      From <strong><${Said}>${place.name}</${Said}></strong>
      ${offer.ready_by && offer.state !== "picked_up" && html`, ready <${Countdown} until=${offer.ready_by} />`}
      ${place.address && html`<br /><${Said}>${place.address}</${Said}>`}
    </p>
    ${isOwn && ["assigned", "picked_up"].includes(offer.state) && html`<${To} id=${offer.order_id} />`}
    <p class="dim">
      offered <${Ago} at=${offer.offered_at} />
      ${offer.courier && !isOwn && html`, taken by <${Said}>${offer.courier}</${Said}>`}
    </p>
    ${carried && html`<${Position} order=${offer.order_id} />`}
    <${Trouble} problem=${problem} />
    ${isOwn && html`
      ${offer.open && html`
        <div class="actions">
          <button type="button" class="primary big" onClick=${() => send("assign")}>Take it</button>
        </div>
        <${WithReason}
          label="Decline"
          reasons=${DECLINES}
          send=${(/** @type {string} */ reason) => send("decline", { reason })}
        />
      `}
      ${offer.state === "assigned" && html`
        <div class="actions">
          <button type="button" class="primary big" onClick=${() => send("pick-up")}>Picked up</button>
        </div>
        <${WithReason}
          label="Give back"
          reasons=${RETURNS}
          send=${(/** @type {string} */ reason) => send("decline", { reason })}
        />
      `}
      ${carried && html`
        <div class="actions">
          <button type="button" class="primary big" onClick=${() => send("deliver")}>Delivered</button>
        </div>
        <${WithReason}
          label="Not possible"
          reasons=${Object.keys(FAILURES)}
          send=${(/** @type {string} */ reason) => send("fail", { reason, fault: FAILURES[reason] })}
        />
      `}
    `}
    <${Sending} now=${sending} />
  </article>`;
}

/**
 * Where to, and whom to call. It is personal, so no list has it: it is read with the order that the courier took.
 * @param {{id: string}} props
 */
function To({ id }) {
  const { data } = useLoaded((signal) => get(`orders/${id}`, { reason: "delivery on the board", signal }), [id]);
  const contact = data?.contact;
  if (!contact || typeof contact === "string") return null;
  return html`<p>
    To <strong><${Said}>${contact.name}</${Said}></strong>,${" "}
    <a href=${`tel:${contact.phone.replace(/[^+\d]/g, "")}`}><${Said}>${contact.phone}</${Said}></a>
    <br />
    <${Said}>${contact.address}</${Said}>
    ${contact.note && html`<br /><em><${Said}>${contact.note}</${Said}></em>`}
  </p>`;
}

/** Report where the courier is while an order is carried, and say whether it arrives. @param {{order: string}} props */
function Position({ order }) {
  const [sent, show] = useState(/** @type {{at?: string, problem?: string}} */ ({}));
  useEffect(() => {
    if (!navigator.geolocation) return show({ problem: "this device has none" });
    let last = 0;
    const moved = (/** @type {GeolocationPosition} */ { coords }) => {
      if (Date.now() - last < POSITION_EVERY_MS) return;
      last = Date.now();
      post(
        `orders/${order}/delivery/position`,
        { latitude: coords.latitude, longitude: coords.longitude },
        { key: undefined },
      ).then(
        () => show({ at: new Date().toISOString() }),
        (problem) => show({ problem: problem.message }),
      );
    };
    const watch = navigator.geolocation.watchPosition(moved, ({ code }) =>
      show({ problem: code === 1 ? "allow it in the browser" : "the device does not know it" }),
    );
    return () => navigator.geolocation.clearWatch(watch);
  }, [order]);
  if (sent.problem)
    return html`<p class="attention" role="status">The customer does not see your position: ${sent.problem}.</p>`;
  return html`<p class="dim" role="status">
    ${sent.at ? html`The customer sees your position, sent <${Ago} at=${sent.at} />` : "Looking for your position."}
  </p>`;
}
