/**
 * Reads an order and its timeline, and then each change. A read that waits on the server needs no socket, records no
 * read of personal data, and comes back by itself after sleep or a restart.
 */

import { withAmounts } from "../../core/money.js";
import { get, online } from "../../kit/api.js";

const WAIT_S = 25;
const PAGE = 100;

/**
 * @param {string} id
 * @param {{reason: string} | null} personal the reason for which personal data is shown; null to leave it out
 * @param {AbortSignal} signal
 * @param {{take: (shown: {order: any, timeline: any}) => void, fail: (problem: any) => void}} to
 */
export async function followOrder(id, personal, signal, { take, fail }) {
  const query = { personal: personal !== null };
  const reason = personal?.reason || undefined;
  let timeline = null;
  let order = null;
  for (let failures = 0; !signal.aborted; ) {
    try {
      const waits = order ? { ...query, wait_s: WAIT_S } : query;
      const changed = await get(`orders/${id}`, { query: waits, reason, signal, ifNoneMatch: order?.version });
      failures = 0;
      if (!changed) {
        await pause(300, signal);
        continue;
      }
      timeline = await extended(timeline, `orders/${id}/timeline`, query, reason, signal);
      order = changed;
      take({ order, timeline });
    } catch (error) {
      if (signal.aborted) return;
      const problem = /** @type {any} */ (error);
      if (!timeline || failures) fail(problem); // what is shown stays current over one answer that fails
      if (problem.status && problem.status < 500 && problem.status !== 429) return fail(problem);
      failures += 1;
      await pause(Math.min(10_000, 500 * 2 ** failures), signal);
    }
  }
}

/** Read the events after those that are there, page by page. @param {any} timeline @param {string} path @param {any} query @param {string | undefined} reason @param {AbortSignal} signal */
async function extended(timeline, path, query, reason, signal) {
  let next = timeline ? timeline.events.at(-1).version + 1 : 1;
  let known = timeline;
  while (next) {
    const page = await get(path, { query: { ...query, from: next, limit: PAGE }, reason, signal });
    const events = page.events.map((/** @type {any} */ event) => ({ ...event, words: withAmounts(event.words) }));
    known = known ? { ...page, initial: known.initial, events: [...known.events, ...events] } : { ...page, events };
    next = page.next;
  }
  return known;
}

/** Wait, or until the network is back. @param {number} ms @param {AbortSignal} signal */
const pause = (ms, signal) =>
  new Promise((done) => {
    const end = () => (clearTimeout(timer), online.listeners.delete(end), signal.removeEventListener("abort", end), done(undefined));
    const timer = setTimeout(end, ms);
    online.listeners.add(end);
    signal.addEventListener("abort", end);
  });
