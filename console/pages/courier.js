/** A courier's board: open offers, and the deliveries that the courier took. */

import { post } from "../kit/api.js";
import { WithReason, useBoardList } from "../kit/board.js";
import { Ago, Badge, Countdown, Empty, Said, Trouble } from "../kit/parts.js";
import { me } from "../kit/session.js";
import { html, useEffect, useState } from "../kit/view.js";

const POSITION_EVERY_MS = 5000;

/** Why a delivery is not possible, and at whose fault. @type {Record<string, string>} */
const FAILURES = { "the customer is not there": "customer", "the address is wrong": "customer", "the meal is damaged": "courier", "an accident or a breakdown": "courier" };

export default function Courier() {
  const topic = me.value?.role === "courier" ? `courier/${me.value.id}` : "orders";
  const open = useBoardList("offers", { open: true, limit: 50 }, topic);
  const own = useBoardList("offers", { open: false, limit: 20 }, topic);
  const changed = (/** @type {any} */ order) => (open.changed(order), own.changed(order));
  const reload = () => (open.reload(), own.reload());
  const taken = (own.data?.offers ?? []).filter((/** @type {any} */ o) => ["assigned", "picked_up"].includes(o.state));
  return html`<div class="page-head"><h1>Deliveries</h1></div>
    <${Trouble} problem=${open.error ?? own.error} retry=${reload} />
    <div class="board two">
      <section aria-labelledby="mine"><h2 id="mine">Yours <span class="dim">${taken.length}</span></h2>${taken.length ? taken.map((/** @type {any} */ o) => html`<${Delivery} key=${`${o.order_id}:${o.offer}`} offer=${o} changed=${changed} />`) : html`<${Empty}>You have no delivery.</${Empty}>`}</section>
      <section aria-labelledby="open"><h2 id="open">Open offers <span class="dim">${open.data?.offers.length ?? 0}</span></h2>${open.data?.offers.length ? open.data.offers.map((/** @type {any} */ o) => html`<${Delivery} key=${`${o.order_id}:${o.offer}`} offer=${o} changed=${changed} />`) : html`<${Empty}>No offer is open.</${Empty}>`}</section>
    </div>`;
}

/** @param {{offer: any, changed: (order: any) => void}} props */
function Delivery({ offer, changed }) {
  const [problem, show] = useState(/** @type {any} */ (null));
  const isOwn = me.value?.role === "courier";
  const send = (/** @type {string} */ action, body = {}) => post(`orders/${offer.order_id}/delivery/${action}`, { offer: offer.offer, ...body }).then((order) => (show(null), changed(order)), show);
  usePosition(isOwn && offer.state === "picked_up" ? offer.order_id : null);
  return html`<article class="ticket" data-state=${offer.state}>
    <header><a href=${`orders/${offer.order_id}`}><strong>#${offer.order_id.slice(4, 9)}</strong></a><${Badge} of=${offer.order_status} /></header>
    <p>From <strong><${Said}>${offer.restaurant}</${Said}></strong>${offer.ready_by && html`, ready <${Countdown} until=${offer.ready_by} />`}</p>
    <p class="dim">offered <${Ago} at=${offer.offered_at} />${offer.courier && html`, taken by <${Said}>${offer.courier}</${Said}>`}</p>
    <${Trouble} problem=${problem} />
    ${isOwn && html`<div class="actions">
      ${offer.open && html`<button type="button" class="primary big" onClick=${() => send("assign")}>Take it</button><button type="button" class="big" onClick=${() => send("decline", { reason: "the courier declined" })}>Decline</button>`}
      ${offer.state === "assigned" && html`<button type="button" class="primary big" onClick=${() => send("pick-up")}>Picked up</button><button type="button" class="big" onClick=${() => send("decline", { reason: "the courier gave it back" })}>Give back</button>`}
      ${offer.state === "picked_up" && html`<button type="button" class="primary big" onClick=${() => send("deliver")}>Delivered</button>`}
    </div>
    ${offer.state === "picked_up" && html`<${WithReason} label="Not possible" reasons=${Object.keys(FAILURES)} send=${(/** @type {string} */ reason) => send("fail", { reason, fault: FAILURES[reason] })} />`}`}
  </article>`;
}

/** Report where the courier is while an order is carried, if the device may say. @param {string | null} order */
function usePosition(order) {
  useEffect(() => {
    if (!order || !navigator.geolocation) return;
    let last = 0;
    const watch = navigator.geolocation.watchPosition(({ coords }) => {
      if (Date.now() - last < POSITION_EVERY_MS) return;
      last = Date.now();
      post(`orders/${order}/delivery/position`, { latitude: coords.latitude, longitude: coords.longitude }, { key: undefined }).catch(() => {});
    });
    return () => navigator.geolocation.clearWatch(watch);
  }, [order]);
}
