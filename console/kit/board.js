/**
 * What boards share: a list that is read again after each change of an order, deadlines, and a report that cannot be
 * taken back.
 */

import { get, post, useLoaded } from "./api.js";
import { useLive } from "./live.js";
import { focused, html, useCallback, useEffect, useRef, useState } from "./view.js";

/** How long the views take to follow a change that names no version. */
const FOLLOW_MS = 300;

/**
 * @param {string} path
 * @param {Record<string, any>} query
 * @param {string} topic of the changes
 */
export function useBoardList(path, query, topic) {
  const newest = useRef("");
  const list = useLoaded((signal) => get(path, { query: { ...query, wait_for: newest.current }, signal }), []);
  /** Read the list again, with this version of an order. */
  const changed = useCallback((/** @type {{id: string, version?: number}} */ order) => {
    if (!order?.version) return void setTimeout(list.reload, FOLLOW_MS);
    newest.current = `${order.id}:${order.version}`;
    list.reload();
  }, []);
  useLive(topic, (message) => changed({ id: message.order_id, version: message.version }), { begun: list.reload });
  return { ...list, changed };
}

/**
 * Return until when each order waits for an answer of the board's reader.
 * @param {"acceptance" | "assignment"} what
 * @param {string} topic
 * @returns {Record<string, string>} instants by the order's id
 */
export function useDeadlines(what, topic) {
  const { data } = useBoardList("orders", { waiting_for: what, limit: 100 }, topic);
  const waits = (data?.orders ?? []).map((/** @type {any} */ order) => [
    order.id,
    order.waiting.find((/** @type {any} */ each) => each.what === what)?.until,
  ]);
  return Object.fromEntries(waits.filter((/** @type {any[]} */ [, until]) => until));
}

/**
 * What a card of a board reports, one at a time: while one is under way, a press sends nothing. `sending` is true until
 * the board shows what it changed.
 * @param {any} card as the list has it
 * @param {(order: any) => void} changed
 */
export function useReports(card, changed) {
  const [problem, show] = useState(/** @type {any} */ (null));
  const [sending, mark] = useState(false);
  const underway = useRef(false);
  useEffect(() => mark(false), [card]);
  const send = async (/** @type {string} */ path, /** @type {any} */ body) => {
    if (underway.current) return;
    underway.current = true;
    mark(true);
    show(null);
    try {
      changed(await post(path, body));
    } catch (error) {
      show(error);
      mark(false);
    }
    underway.current = false;
  };
  return { problem, sending, send };
}

/** That a press was taken. @param {{now: boolean}} props */
export const Sending = ({ now }) => now && html`<p class="dim" role="status">Sending.</p>`;

/**
 * A report that cannot be taken back: its reason is asked for, and choosing one sends it. So a stray finger sends
 * nothing.
 * @param {{label: string, question?: string, reasons: string[], send: (reason: string) => void}} props
 */
export function WithReason({ label, question = `${label}: why?`, reasons, send }) {
  const [open, show] = useState(false);
  if (!open)
    return html`<div class="actions">
      <button type="button" class="big" onClick=${() => show(true)}>${label}</button>
    </div>`;
  return html`<${Reasons} question=${question} reasons=${reasons} send=${send} close=${() => show(false)} />`;
}

/**
 * The reasons, or other answers, of which one is chosen.
 * @param {{question: string, reasons: string[], send: (reason: string) => void, close: () => void}} props
 */
export const Reasons = ({ question, reasons, send, close }) => html`<div
  class="reasons"
  role="group"
  aria-label=${question}
>
  <p>${question} It cannot be taken back.</p>
  ${reasons.map((reason, index) => html`<button
    type="button"
    class="big"
    ref=${index ? undefined : focused}
    onClick=${() => (close(), send(reason))}
  >
    ${reason}
  </button>`)}
  <button type="button" class="big" onClick=${close}>Back</button>
</div>`;
