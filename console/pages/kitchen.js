/**
 * A restaurant's board: tickets to answer, to cook, to hand over. Made for a finger, and for a look from three metres.
 */

import { get, useLoaded } from "../kit/api.js";
import { Reasons, Sending, WithReason, useBoardList, useDeadlines, useReports } from "../kit/board.js";
import { Ago, Countdown, Empty, Said, Trouble } from "../kit/parts.js";
import { me } from "../kit/session.js";
import { choose, settings } from "../kit/settings.js";
import { chime, useSilenced } from "../kit/sound.js";
import { useStore } from "../kit/store.js";
import { html, useEffect, useRef, useState } from "../kit/view.js";

const LANES = /** @type {[string, string][]} */ ([
  ["requested", "New"],
  ["accepted", "Cooking"],
  ["ready", "At the pass"],
]);
const REJECTS = ["an ingredient is missing", "too many orders now", "the kitchen is closed"];
const MINUTES = [10, 15, 20, 30, 45];

export default function Kitchen() {
  const own = me.value?.role === "restaurant";
  const topic = own ? `restaurant/${me.value?.id}` : "orders";
  const list = useBoardList("tickets", { open: true, limit: 100 }, topic);
  const deadlines = useDeadlines("acceptance", topic);
  const { sound } = useStore(settings);
  const silenced = useSilenced();
  const known = useRef(/** @type {Set<string> | null} */ (null));
  const tickets = list.data?.tickets ?? [];
  useEffect(() => {
    if (!list.data) return;
    const ids = new Set(
      tickets
        .filter((/** @type {any} */ t) => t.state === "requested")
        .map((/** @type {any} */ t) => `${t.order_id}:${t.ticket}`),
    );
    if (sound && known.current && [...ids].some((id) => !known.current?.has(id))) chime();
    known.current = ids;
    document.title = `${ids.size ? `(${ids.size}) ` : ""}Tickets · Expediter`; // seen while another window is in front
  }, [list.data]);
  return html`
    <div class="page-head">
      <h1>Tickets</h1>
      <div class="actions">
        <button
          type="button"
          class="big"
          aria-pressed=${sound}
          onClick=${() => (choose({ sound: !sound }), !sound && chime())}
        >
          Sound on a new ticket: ${sound ? "on" : "off"}
        </button>
      </div>
    </div>
    ${sound && silenced && html`<p class="banner notice-line" role="status">
      No sound yet: the browser plays none before this page is touched once. Touch it anywhere.
    </p>`}
    <${Trouble} problem=${list.error} retry=${list.reload} />
    <div class="board" aria-busy=${!list.data && !list.error ? "true" : undefined}>
      ${LANES.map(([state, title]) => {
        const here = tickets.filter(
          (/** @type {any} */ t) => (LANES.some(([s]) => s === t.state) ? t.state : "accepted") === state,
        );
        return html`<section aria-labelledby=${`lane-${state}`}>
          <h2 id=${`lane-${state}`}>${title} <span class="dim">${here.length}</span></h2>
          ${here.length
            ? here.map((/** @type {any} */ t) => html`<${Ticket}
                key=${`${t.order_id}:${t.ticket}`}
                ticket=${t}
                until=${deadlines[t.order_id]}
                changed=${list.changed}
              />`)
            : list.data && html`<${Empty}>Nothing here.</${Empty}>`}
        </section>`;
      })}
    </div>
  `;
}

/**
 * @param {{ticket: any, until: string | undefined, changed: (order: any) => void}} props `until`: when the restaurant
 *   has to have answered
 */
function Ticket({ ticket, until, changed }) {
  const { problem, sending, send: report } = useReports(ticket, changed);
  const [minutes, choose] = useState(20);
  const [missing, lack] = useState(/** @type {any} */ (null));
  const cooks = ["requested", "accepted"].includes(ticket.state);
  const send = (/** @type {string} */ action, /** @type {any} */ body) =>
    report(`orders/${ticket.order_id}/preparation/${action}`, { ticket: ticket.ticket, ...body });
  return html`<article class="ticket" data-state=${ticket.state} aria-busy=${sending ? "true" : undefined}>
    <header>
      <a href=${`orders/${ticket.order_id}`}><strong>#${ticket.order_id.slice(4, 9)}</strong></a>
      <span>
        ${ticket.ready_by && ticket.state === "accepted"
          ? html`ready <${Countdown} until=${ticket.ready_by} />`
          : html`<${Ago} at=${ticket.sent_at} />`}
      </span>
    </header>
    ${until && ticket.state === "requested" && html`<p class="answer-by">
      Answer <${Countdown} until=${until} />, or the order is cancelled
    </p>`}
    <ul>
      ${ticket.lines.map((/** @type {any} */ line) => html`<li class=${line.quantity ? "" : "gone"}>
        <strong>${line.quantity}×</strong> <${Said}>${line.name}</${Said}>
        ${line.quantity > 0 && cooks && html`<button
          type="button"
          class="big"
          aria-label=${`${line.name} is sold out`}
          onClick=${() => lack(line)}
        >
          Sold out
        </button>`}
        ${line.options.length > 0 && html`<small>${line.options.join(", ")}</small>`}
      </li>`)}
    </ul>
    ${cooks && html`<${KitchenNote} id=${ticket.order_id} />`}
    ${ticket.courier && html`<p class="dim">Courier <${Said}>${ticket.courier}</${Said}></p>`}
    <${Trouble} problem=${problem} />
    ${missing
      ? html`<${SoldOut}
          key=${missing.line}
          line=${missing}
          close=${() => lack(null)}
          send=${(/** @type {number} */ available) => send("item-unavailable", { line: missing.line, available })}
        />`
      : html`
          ${ticket.state === "requested" && html`
            <div class="minutes" role="group" aria-label="Ready in minutes">
              ${MINUTES.map((each) => html`<button
                type="button"
                aria-pressed=${each === minutes}
                onClick=${() => choose(each)}
              >
                ${each}
              </button>`)}
            </div>
            <div class="actions">
              <button
                type="button"
                class="primary big"
                onClick=${() => send("accept", { ready_at: new Date(Date.now() + minutes * 60_000).toISOString() })}
              >
                Accept, ${minutes} min
              </button>
            </div>
            <${WithReason}
              label="Reject"
              reasons=${REJECTS}
              send=${(/** @type {string} */ reason) => send("reject", { reason })}
            />
          `}
          ${ticket.state === "accepted" && html`<div class="actions">
            <button type="button" class="primary big" onClick=${() => send("ready", {})}>Ready</button>
          </div>`}
        `}
    <${Sending} now=${sending} />
  </article>`;
}

/**
 * How many of a line can still be made: fewer are charged, and the rest of the ticket stays.
 * @param {{line: any, close: () => void, send: (available: number) => void}} props
 */
function SoldOut({ line, close, send }) {
  const left = Array.from({ length: line.quantity }, (_, available) => available);
  const words = (/** @type {number} */ available) =>
    available ? `${available} of ${line.quantity} can be made` : "none can be made";
  return html`<${Reasons}
    question=${`${line.name}: how many are left?`}
    reasons=${left.map(words)}
    close=${close}
    send=${(/** @type {string} */ chosen) => send(left.findIndex((each) => words(each) === chosen))}
  />`;
}

/**
 * What the customer wrote for the kitchen. It is personal, so no list has it: it is read with the order.
 * @param {{id: string}} props
 */
function KitchenNote({ id }) {
  const { data } = useLoaded((signal) => get(`orders/${id}`, { reason: "ticket on the board", signal }), [id]);
  const note = data?.kitchen_note;
  return note && !note.startsWith("(")
    ? html`<p class="kitchen-note">For the kitchen: <${Said}>${note}</${Said}></p>`
    : null;
}
