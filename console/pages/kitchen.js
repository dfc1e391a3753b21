/** A restaurant's board: tickets to answer, to cook, to hand over. Made for a finger, and for a look from three metres. */

import { post } from "../kit/api.js";
import { WithReason, useBoardList } from "../kit/board.js";
import { Ago, Countdown, Empty, Said, Trouble } from "../kit/parts.js";
import { me } from "../kit/session.js";
import { choose, settings } from "../kit/settings.js";
import { chime } from "../kit/sound.js";
import { useStore } from "../kit/store.js";
import { html, useEffect, useRef, useState } from "../kit/view.js";

const LANES = /** @type {[string, string][]} */ ([["requested", "New"], ["accepted", "Cooking"], ["ready", "At the pass"]]);
const REJECTS = ["an ingredient is missing", "too many orders now", "the kitchen is closed"];
const MINUTES = [10, 15, 20, 30, 45];

export default function Kitchen() {
  const own = me.value?.role === "restaurant";
  const list = useBoardList("tickets", { open: true, limit: 100 }, own ? `restaurant/${me.value?.id}` : "orders");
  const { sound } = useStore(settings);
  const known = useRef(/** @type {Set<string> | null} */ (null));
  const tickets = list.data?.tickets ?? [];
  useEffect(() => {
    if (!list.data) return;
    const ids = new Set(tickets.filter((/** @type {any} */ t) => t.state === "requested").map((/** @type {any} */ t) => `${t.order_id}:${t.ticket}`));
    if (sound && known.current && [...ids].some((id) => !known.current?.has(id))) chime();
    known.current = ids;
  }, [list.data]);
  return html`<div class="page-head"><h1>Tickets</h1><div class="actions"><button type="button" aria-pressed=${sound} onClick=${() => (choose({ sound: !sound }), !sound && chime())}>Sound on a new ticket</button></div></div>
    <${Trouble} problem=${list.error} retry=${list.reload} />
    <div class="board">${LANES.map(([state, title]) => {
      const here = tickets.filter((/** @type {any} */ t) => (LANES.some(([s]) => s === t.state) ? t.state : "accepted") === state);
      return html`<section aria-labelledby=${`lane-${state}`}><h2 id=${`lane-${state}`}>${title} <span class="dim">${here.length}</span></h2>
        ${here.length ? here.map((/** @type {any} */ t) => html`<${Ticket} key=${`${t.order_id}:${t.ticket}`} ticket=${t} changed=${list.changed} />`) : html`<${Empty}>Nothing here.</${Empty}>`}</section>`;
    })}</div>`;
}

/** @param {{ticket: any, changed: (order: any) => void}} props */
function Ticket({ ticket, changed }) {
  const [problem, show] = useState(/** @type {any} */ (null));
  const [minutes, choose] = useState(20);
  const send = (/** @type {string} */ action, /** @type {any} */ body) => post(`orders/${ticket.order_id}/preparation/${action}`, { ticket: ticket.ticket, ...body }).then((order) => (show(null), changed(order)), show);
  return html`<article class="ticket" data-state=${ticket.state}>
    <header><a href=${`orders/${ticket.order_id}`}><strong>#${ticket.order_id.slice(4, 9)}</strong></a><span>${ticket.ready_by && ticket.state === "accepted" ? html`<${Countdown} until=${ticket.ready_by} />` : html`<${Ago} at=${ticket.sent_at} />`}</span></header>
    <ul>${ticket.lines.map((/** @type {any} */ line) => html`<li class=${line.quantity ? "" : "gone"}><strong>${line.quantity}×</strong> <${Said}>${line.name}</${Said}>${line.options.length > 0 && html`<small>${line.options.join(", ")}</small>`}
      ${line.quantity > 0 && ["requested", "accepted"].includes(ticket.state) && html`<button type="button" class="quiet" aria-label=${`${line.name} is sold out`} onClick=${() => send("item-unavailable", { line: line.line, available: 0 })}>sold out</button>`}</li>`)}</ul>
    ${ticket.courier && html`<p class="dim">Courier <${Said}>${ticket.courier}</${Said}></p>`}
    <${Trouble} problem=${problem} />
    ${ticket.state === "requested" && html`<div class="minutes" role="group" aria-label="Ready in minutes">${MINUTES.map((each) => html`<button type="button" aria-pressed=${each === minutes} onClick=${() => choose(each)}>${each}</button>`)}</div>
      <div class="actions"><button type="button" class="primary big" onClick=${() => send("accept", { ready_at: new Date(Date.now() + minutes * 60_000).toISOString() })}>Accept, ${minutes} min</button></div><${WithReason} label="Reject" reasons=${REJECTS} send=${(/** @type {string} */ reason) => send("reject", { reason })} />`}
    ${ticket.state === "accepted" && html`<div class="actions"><button type="button" class="primary big" onClick=${() => send("ready", {})}>Ready</button></div>`}
  </article>`;
}
