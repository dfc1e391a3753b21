/** What boards share: a list that is read again after each change of an order, and a report that cannot be taken back. */

import { get, useLoaded } from "./api.js";
import { useLive } from "./live.js";
import { focused, html, useCallback, useState } from "./view.js";

/** How long the views take to follow a change that names no version. */
const FOLLOW_MS = 300;

/**
 * @param {string} path
 * @param {Record<string, any>} query
 * @param {string} topic of the changes
 */
export function useBoardList(path, query, topic) {
  const [newest, include] = useState("");
  const list = useLoaded((signal) => get(path, { query: { ...query, wait_for: newest }, signal }), [newest]);
  /** Read the list again, with this version of an order. */
  const changed = useCallback((/** @type {{id: string, version?: number}} */ order) => void (order?.version ? include(`${order.id}:${order.version}`) : setTimeout(list.reload, FOLLOW_MS)), []);
  useLive(topic, (message) => changed({ id: message.order_id, version: message.version }));
  return { ...list, changed };
}

/**
 * A report that cannot be taken back: its reason is asked for, and choosing one sends it. So a stray finger sends nothing.
 * @param {{label: string, reasons: string[], send: (reason: string) => void}} props
 */
export function WithReason({ label, reasons, send }) {
  const [open, show] = useState(false);
  if (!open) return html`<div class="actions"><button type="button" class="big" onClick=${() => show(true)}>${label}</button></div>`;
  return html`<div class="reasons" role="group" aria-label=${label}><p>${label}: why? It cannot be taken back.</p>
    ${reasons.map((reason, index) => html`<button type="button" class="big" ref=${index ? undefined : focused} onClick=${() => (show(false), send(reason))}>${reason}</button>`)}
    <button type="button" class="big" onClick=${() => show(false)}>Back</button></div>`;
}
