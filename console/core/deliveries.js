/** Deliveries of webhooks in words. */

/** @typedef {{at: string, http: number | null, ms: number, error: string | null}} Attempt */
/**
 * @typedef {{id: string, webhook: string, event: string, type: string, recorded_at: string, status: "pending" |
 *   "delivered" | "failed", attempts: Attempt[], next_try: string | null}} Delivery
 */

/** Return the version of the event in its order's log; 0 for a test event. @param {Delivery} delivery */
export const versionOf = (delivery) => Number(delivery.event.match(/^ord_[^/]+\/(\d+)$/)?.[1] ?? 0);

/**
 * Write a published type in words: `expediter.payment.capture-refused.v1` becomes `payment capture refused`.
 * @param {string} type
 */
export const typeWords = (type) => type.replace(/^expediter\./, "").replace(/\.v\d+$/, "").replace(/[.-]/g, " ");

/** Whether the receiver took the event. @param {Attempt} attempt */
export const succeeded = ({ http }) => http !== null && http >= 200 && http < 300;

/** Write the outcome of an attempt: `204 after 20 ms`, `no answer: refused`. @param {Attempt} attempt */
export const attemptWords = ({ http, ms, error }) =>
  http === null ? `no answer${error ? `: ${error.replace(/^no connection: /, "")}` : ""}` : `${http} after ${ms} ms`;

/**
 * Say how the deliveries stand, the worst first: `2 of 9 deliveries failed`.
 * @param {Delivery[]} deliveries
 */
export function standing(deliveries) {
  const count = (/** @type {Delivery["status"]} */ status) =>
    deliveries.filter((each) => each.status === status).length;
  const all = deliveries.length === 1 ? "1 delivery" : `${deliveries.length} deliveries`;
  if (count("failed")) return `${count("failed")} of ${all} failed`;
  const open = deliveries.filter((each) => each.status === "pending" && each.attempts.length > 0).length;
  if (open) return `${open} of ${all} failed so far`;
  return count("pending") ? `${count("pending")} of ${all} on the way` : all;
}

/** Write a delivery's state: one that failed and is tried again is not only pending. @param {Delivery} delivery */
export const stateWords = ({ status, attempts }) =>
  status === "pending" ? (attempts.length ? "retrying" : "on the way") : status;

/** Whether somebody may want to send a delivery again: its last attempt failed. @param {Delivery} delivery */
export const isUndelivered = ({ status, attempts }) =>
  status === "failed" || (status === "pending" && attempts.length > 0);
