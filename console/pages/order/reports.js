/** Reports that support passes on for a restaurant or a courier: what the party said and did not report itself. */

/** @typedef {import("./offers.js").Offered} Offered */
/** @typedef {import("../../kit/action.js").Field} Field */

const FAULTS = /** @type {[string, string][]} */ ([
  ["platform", "the platform"],
  ["restaurant", "the restaurant"],
  ["courier", "the courier"],
  ["customer", "the customer"],
]);

export const FAULT = {
  name: "fault",
  label: "At fault",
  options: FAULTS,
  hint:
    "Recorded in the order's history. " +
    "What the customer does not pay because of it is booked as an expense of this party.",
};

const SAID_BY = {
  name: "said_by",
  label: "Who said so, and how",
  hint:
    "For example: the owner, by phone. " +
    "The log has the time of now: if it happened at another time, write that into the reason.",
  inert: true,
};
const THEIR_REASON = { name: "party_reason", label: "Their reason", inert: true };
const COURIER = { name: "courier_id", label: "Courier" };

/**
 * @typedef {{fact: string, party: "restaurant" | "courier", awaited: boolean, contradicts: number | null}} Possible as
 *   `GET /orders/{id}/why` says
 */
/** @typedef {{title: string, fields?: Field[], body?: (v: Record<string, string>) => Record<string, any>}} Fact */

/** @type {Record<string, Fact>} */
const FACTS = {
  accepted: {
    title: "Restaurant accepted",
    fields: [{ name: "minutes", label: "Ready in minutes", value: "20", type: "number" }],
    body: (v) => ({ ready_at: new Date(Date.now() + Number(v.minutes) * 60_000).toISOString() }),
  },
  rejected: { title: "Restaurant rejected", fields: [THEIR_REASON], body: (v) => ({ party_reason: v.party_reason }) },
  item_unavailable: {
    title: "An item is missing",
    body: (v) => ({ line: Number(v.line), available: Number(v.available) }),
  },
  ready: { title: "Meal is ready" },
  assigned: { title: "Courier took the delivery", fields: [COURIER], body: (v) => ({ courier_id: v.courier_id }) },
  declined: { title: "Courier declined", fields: [THEIR_REASON], body: (v) => ({ party_reason: v.party_reason }) },
  picked_up: { title: "Meal was picked up" },
  delivered: { title: "Meal was delivered" },
  failed: {
    title: "Delivery failed",
    fields: [FAULT, THEIR_REASON],
    body: (v) => ({ party_reason: v.party_reason, fault: v.fault }),
  },
};

/**
 * Return the reports that the API says can be passed on: those that end a wait, and the others.
 * @param {string} id
 * @param {any} order
 * @param {any} why
 * @returns {{awaited: Offered[], others: Offered[]}}
 */
export function reportsOf(id, order, why) {
  const possible = /** @type {Possible[]} */ (why?.reports ?? []).filter(({ fact }) => FACTS[fact]);
  /** @param {Possible} report @returns {Offered} */
  const offered = ({ fact, ...report }) => ({
    name: `fact-${fact}`, title: FACTS[fact].title, needs: "pass_on", note: effectOf(report, order.parked),
    path: `orders/${id}/facts`, dry: true, order: id, reason: "Why they did not report it themselves",
    fields: [...(fact === "item_unavailable" ? missingItem(order) : (FACTS[fact].fields ?? [])), SAID_BY],
    body: (v) => ({ fact, said_by: v.said_by, reason: v.reason, ...FACTS[fact].body?.(v) }),
  });
  return {
    awaited: possible.filter(({ awaited }) => awaited).map(offered),
    others: possible.filter(({ awaited }) => !awaited).map(offered),
  };
}

/** What a report does, for the list. @param {Omit<Possible, "fact">} report @param {boolean} parked */
function effectOf({ party, awaited, contradicts }, parked) {
  if (contradicts) return `It contradicts event ${contradicts}, so a person decides between the two`;
  if (contradicts === 0) return "An earlier report is missing: no effect until it is there or a person decides";
  return awaited && !parked ? `Ends the wait, as the ${party}'s own report` : `Counts as the ${party}'s own report`;
}

/** @param {any} order @returns {Field[]} */
const missingItem = (order) => [
  {
    name: "line",
    label: "Item",
    options: order.lines
      .filter((/** @type {any} */ line) => line.quantity > 0)
      .map((/** @type {any} */ line) => [String(line.line), `${line.name}, ${line.quantity} ordered`]),
  },
  { name: "available", label: "Units that are there", value: "0", type: "number" },
];
