/** The order page's view of a timeline: states by version, what an event changed, where the time went. */

import { minus } from "./money.js";
import { applyPatch, readPointer, valueAt } from "./patches.js";

/**
 * @typedef {object} TimelineEvent
 * @property {number} version
 * @property {string} type
 * @property {string} recorded_at
 * @property {{role: string, id: string}} actor
 * @property {string | null} saga
 * @property {string} words
 * @property {number | null} undoes
 * @property {import("./patches.js").Operation[] | null} patch
 * @property {Record<string, any>} data
 */

export const SAGAS = ["order", "payment", "preparation", "delivery"];

/**
 * Return the states of an order: at index N the one after N of the events. Null from an event of a newer release on.
 * @param {any} initial
 * @param {TimelineEvent[]} events
 * @returns {any[]}
 */
export function statesOf(initial, events) {
  const states = [initial];
  for (const event of events) {
    const before = states[states.length - 1];
    states.push(before && event.patch ? applyPatch(before, event.patch) : null);
  }
  return states;
}

/**
 * Return what an event changed, for people: a path, and the value before and after. The version is left out.
 * @param {any} before
 * @param {TimelineEvent} event
 * @returns {{path: string[], before: any, after: any}[]}
 */
export function changesOf(before, event) {
  return (event.patch ?? [])
    .filter((operation) => operation.path !== "/version")
    .flatMap((operation) => {
      const path = readPointer(operation.path);
      const old = valueAt(before, operation.path);
      const money =
        path[path.length - 1] === "amount" ? valueAt(before, operation.path.replace(/\/amount$/, "")) : null;
      if (money?.currency)
        return [{ path: path.slice(0, -1), before: money, after: { ...money, amount: operation.value } }];
      return [{ path, before: old, after: operation.op === "remove" ? undefined : operation.value }];
    });
}

/**
 * Whether an event needs attention: something failed, timed out, was refused or contradicted.
 * @param {TimelineEvent} event
 */
export const isTrouble = (event) =>
  /(TimedOut|Declined|Rejected|Refused|Failed|Overdue|Unavailable|Parked|Contested|WrittenOff|Abandoned)$/.test(
    event.type,
  );

/** Whether a person changed the order, and no party of it. @param {TimelineEvent} event */
export const isByStaff = (event) => ["support", "auditor"].includes(event.actor.role);

/** Whether an event takes an earlier one back. @param {TimelineEvent} event */
export const isUndo = (event) => event.undoes !== null && event.undoes !== undefined;

/** @typedef {{undone: TimelineEvent, by: TimelineEvent, how: "done" | "part" | "asked" | "refused"}} Undo */

/**
 * Return what was taken back until a version, or was to be: what it was, the last event about that, and how it stands.
 *
 * Each request to take something back counts: two refunds of one payment are two. A request that was refused counts
 * until another one is made.
 * @param {TimelineEvent[]} events
 * @param {number} version
 * @returns {Undo[]}
 */
export function undosOf(events, version) {
  const known = events.filter((event) => event.version <= version);
  const requests = known.filter((event) => isUndo(event) && event.data.answers === undefined);
  const found = requests.flatMap((request) => {
    const by = known.findLast((event) => event.data.answers === request.version) ?? request;
    const how = by === request ? "asked" : !isUndo(by) ? "refused" : "done";
    return events
      .filter(({ version: number }) => number === request.undoes)
      .map((undone) => ({
        undone,
        by,
        how: how === "done" && isLess(by.data.amount, undone.data.amount) ? "part" : how,
      }));
  });
  return /** @type {Undo[]} */ (
    found.filter(
      ({ undone, how }, i) => how !== "refused" || !found.slice(i + 1).some((later) => later.undone === undone),
    )
  );
}

/** @param {import("./money.js").Money | undefined} one @param {import("./money.js").Money | undefined} other */
const isLess = (one, other) =>
  Boolean(one && other && one.currency === other.currency && minus(one, other).amount.startsWith("-"));

/**
 * @typedef {object} Span
 * @property {string} saga
 * @property {number} from the version that began it
 * @property {number | null} to the version that ended it; null while it lasts
 * @property {string} label
 * @property {number} start milliseconds since the first event
 * @property {number} end
 * @property {"done" | "bad" | "open" | "undo"} how
 * @property {number} row below the others of its saga that last at the same time
 */

/** What ends a span that an event begins, and what the span is called. @type {[string, RegExp, string, string][]} */
const SPANS = [
  ["OrderPlaced", /^(PaymentAuthorized|PaymentDeclined|OrderCancelled)$/, "placing", "order"],
  ["PaymentAuthorizationRequested", /^(PaymentAuthorized|PaymentDeclined)$/, "authorize", "payment"],
  ["PaymentCaptureRequested", /^(PaymentCaptured|PaymentCaptureRefused)$/, "capture", "payment"],
  ["PaymentVoidRequested", /^(PaymentVoided|PaymentVoidRefused)$/, "release", "payment"],
  ["PaymentRefundRequested", /^(PaymentRefunded|PaymentRefundRefused)$/, "refund", "payment"],
  ["PaymentLookupRequested", /^(PaymentFound|PaymentNotFound)$/, "look up", "payment"],
  [
    "PreparationRequested",
    /^Preparation(Accepted|Rejected|TimedOut|CancellationRequested|WrittenOff)$/,
    "accept",
    "preparation",
  ],
  [
    "PreparationAccepted",
    /^(PreparationReady|PreparationOverdue|PreparationCancelled|PreparationWrittenOff)$/,
    "cook",
    "preparation",
  ],
  ["PreparationReady", /^(OrderPickedUp|PreparationCancelled|PreparationWrittenOff)$/, "at the pass", "preparation"],
  ["PreparationCancellationRequested", /^(PreparationCancelled|PreparationWrittenOff)$/, "take back", "preparation"],
  [
    "CourierRequested",
    /^(CourierAssigned|CourierTimedOut|CourierReleaseRequested|CourierWrittenOff)$/,
    "find a courier",
    "delivery",
  ],
  [
    "CourierAssigned",
    /^(OrderPickedUp|CourierDeclined|CourierReleased|CourierWrittenOff)$/,
    "to the restaurant",
    "delivery",
  ],
  ["OrderPickedUp", /^(OrderDelivered|DeliveryFailed|DeliveryOverdue)$/, "deliver", "delivery"],
  ["CourierReleaseRequested", /^(CourierReleased|CourierWrittenOff)$/, "withdraw", "delivery"],
  ["CancellationRequested", /^OrderCancelled$/, "cancel", "order"],
  ["OrderParked", /^(RunStarted|OrderAbandoned)$/, "parked", "order"],
];

/**
 * Return where the time went, one span for each wait of a saga. One that comes again has a number; no two in one row
 * overlap.
 * @param {TimelineEvent[]} events
 * @param {number} [now] milliseconds since 1970, for what still lasts; left out once the order has ended
 * @returns {Span[]}
 */
export function spansOf(events, now) {
  if (!events.length) return [];
  const began = Date.parse(events[0].recorded_at);
  const at = (/** @type {TimelineEvent} */ event) => Date.parse(event.recorded_at) - began;
  const spans = events.flatMap((event, index) => {
    const kind = SPANS.find(([type]) => type === event.type);
    if (!kind) return [];
    const [, ends, label, saga] = kind;
    const end = events.slice(index + 1).find((later) => ends.test(later.type) && concerns(later, event));
    if (!end && now === undefined) return [];
    const how = !end ? "open" : isTrouble(end) ? "bad" : isUndo(event) || label === "cancel" ? "undo" : "done";
    return [
      {
        saga,
        from: event.version,
        to: end?.version ?? null,
        label,
        start: at(event),
        end: end ? at(end) : Math.max(at(event), /** @type {number} */ (now) - began),
        how: /** @type {Span["how"]} */ (how),
      },
    ];
  });
  /** @type {Record<string, number[]>} */
  const free = {};
  return spans.map((span, i) => {
    const rows = (free[span.saga] ??= []);
    const fits = rows.findIndex((end) => end <= span.start);
    const row = fits < 0 ? rows.length : fits;
    rows[row] = span.end;
    const before = spans.slice(0, i).filter(({ label }) => label === span.label).length;
    return { ...span, row, label: before ? `${span.label} #${before + 1}` : span.label };
  });
}

/**
 * Whether an outcome answers an intent: it names it, if it names any.
 * @param {TimelineEvent} later
 * @param {TimelineEvent} event
 */
function concerns(later, event) {
  const { answers, request } = later.data;
  return !event.type.endsWith("Requested") || (answers ?? request ?? event.version) === event.version;
}

/**
 * Return a scale from milliseconds to a part of the width, on which long stretches without an event are shorter.
 *
 * Between two neighbouring moments the width grows with the square root of the time, so that two seconds beside an hour
 * stay visible and the hour stays the longest.
 * @param {number[]} moments milliseconds, in any order
 * @returns {(ms: number) => number} from 0 to 1
 */
export function compressed(moments) {
  const sorted = [...new Set([0, ...moments])].sort((a, b) => a - b);
  const places = [0];
  for (let i = 1; i < sorted.length; i += 1) places.push(places[i - 1] + Math.sqrt(sorted[i] - sorted[i - 1]) + 4);
  const whole = places[places.length - 1] || 1;
  return (ms) => {
    if (ms <= 0) return 0;
    let i = 1;
    while (i < sorted.length - 1 && sorted[i] < ms) i += 1;
    if (i >= sorted.length) return 1;
    const part = Math.min(1, (ms - sorted[i - 1]) / Math.max(1, sorted[i] - sorted[i - 1]));
    return (places[i - 1] + part * (places[i] - places[i - 1])) / whole;
  };
}
