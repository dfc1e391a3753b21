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
  const asked = { query: { personal: personal !== null }, reason: personal?.reason || undefined, signal };
  let timeline = null;
  let order = null;
  for (let failures = 0; !signal.aborted; ) {
    try {
      const query = order ? { ...asked.query, wait_s: WAIT_S } : asked.query;
      const reading = get(`orders/${id}`, { ...asked, query, ifNoneMatch: order?.version });
      const [changed, known] = await Promise.all([reading, timeline ?? pageFrom(1, id, asked)]);
      failures = 0;
      if (!changed) {
        await pause(300, signal);
        continue;
      }
      timeline = await extended(known, changed.version, id, asked);
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

/** @typedef {{query: Record<string, any>, reason: string | undefined, signal: AbortSignal}} Asked */

/**
 * Read the events up to a version after those that are there, all pages at once.
 * @param {any} known
 * @param {number} version
 * @param {string} id
 * @param {Asked} asked
 */
async function extended(known, version, id, asked) {
  const pages = [];
  for (let from = known.events.at(-1).version + 1; from <= version; from += PAGE) pages.push(pageFrom(from, id, asked));
  return (await Promise.all(pages)).reduce(
    (all, page) => ({ ...page, initial: all.initial, events: [...all.events, ...page.events] }),
    known,
  );
}

/** @param {number} from @param {string} id @param {Asked} asked */
async function pageFrom(from, id, asked) {
  const page = await get(`orders/${id}/timeline`, { ...asked, query: { ...asked.query, from, limit: PAGE } });
  return {
    ...page,
    events: page.events.map((/** @type {any} */ event) => ({ ...event, words: withAmounts(event.words) })),
  };
}

/** Wait, or until the network is back. @param {number} ms @param {AbortSignal} signal */
const pause = (ms, signal) =>
  new Promise((done) => {
    const end = () => (
      clearTimeout(timer),
      online.listeners.delete(end),
      signal.removeEventListener("abort", end),
      done(undefined)
    );
    const timer = setTimeout(end, ms);
    online.listeners.add(end);
    signal.addEventListener("abort", end);
  });
