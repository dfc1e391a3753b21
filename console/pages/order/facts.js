/** Reports that support passes on for a restaurant or a courier: what the party said and did not report itself. */

/** @typedef {import("./actions.js").Offered} Offered */
/** @typedef {import("../../kit/action.js").Field} Field */

export const FAULTS = /** @type {[string, string][]} */ ([["platform", "the platform"], ["restaurant", "the restaurant"], ["courier", "the courier"], ["customer", "the customer"]]);

const SAID_BY = { name: "said_by", label: "Who said so, and how", hint: "For example: the owner, by phone.", inert: true };
const THEIR_REASON = { name: "party_reason", label: "Their reason", inert: true };
const COURIER = { name: "courier_id", label: "Courier" };

/** @typedef {{title: string, fields?: Field[], body?: (v: Record<string, string>) => Record<string, any>}} Fact */

/** @type {Record<string, Fact>} */
const FACTS = {
  accepted: { title: "Restaurant accepted", fields: [{ name: "minutes", label: "Ready in minutes", value: "20", type: "number" }], body: (v) => ({ ready_at: new Date(Date.now() + Number(v.minutes) * 60_000).toISOString() }) },
  rejected: { title: "Restaurant rejected", fields: [THEIR_REASON], body: (v) => ({ party_reason: v.party_reason }) },
  item_unavailable: { title: "An item is missing", body: (v) => ({ line: Number(v.line), available: Number(v.available) }) },
  ready: { title: "Meal is ready" },
  assigned: { title: "Courier took the delivery", fields: [COURIER], body: (v) => ({ courier_id: v.courier_id }) },
  declined: { title: "Courier declined", fields: [THEIR_REASON], body: (v) => ({ party_reason: v.party_reason }) },
  picked_up: { title: "Meal was picked up" },
  delivered: { title: "Meal was delivered" },
  failed: { title: "Delivery failed", fields: [{ name: "fault", label: "At fault", options: FAULTS }, THEIR_REASON], body: (v) => ({ party_reason: v.party_reason, fault: v.fault }) },
};

/** By the report that a wait names: the facts that can be passed on. @type {Record<string, string[]>} */
const OF_REPORT = {
  "preparation/accept": ["accepted", "item_unavailable"], "preparation/reject": ["rejected"], "preparation/ready": ["ready", "item_unavailable"],
  "delivery/assign": ["assigned", "declined"], "delivery/pick-up": ["picked_up"], "delivery/deliver": ["delivered"], "delivery/fail": ["failed"],
};

/**
 * Return the facts that end a wait of the order, or would help it on if it is parked.
 * @param {string} id
 * @param {any} order
 * @param {any} why
 * @returns {Offered[]}
 */
export function factsOf(id, order, why) {
  if (!why) return [];
  const reports = [...why.waits.flatMap((/** @type {any} */ wait) => wait.reports), ...Object.values(why.plans).flatMap((/** @type {any} */ plan) => plan.instead)];
  const names = [...new Set(reports.flatMap((report) => OF_REPORT[report] ?? []))];
  return names.map((fact) => ({
    name: `fact-${fact}`, title: FACTS[fact].title, needs: "pass_on", note: order.parked ? "A report of the party may help" : "Ends the wait, as the party's own report",
    path: `orders/${id}/facts`, dry: true, order: id, reason: "Why they did not report it themselves",
    fields: [...(fact === "item_unavailable" ? missingItem(order) : (FACTS[fact].fields ?? [])), SAID_BY],
    body: (/** @type {Record<string, string>} */ v) => ({ fact, said_by: v.said_by, reason: v.reason, ...FACTS[fact].body?.(v) }),
  }));
}

/** @param {any} order @returns {Field[]} */
const missingItem = (order) => [
  { name: "line", label: "Item", options: order.lines.filter((/** @type {any} */ line) => line.quantity > 0).map((/** @type {any} */ line) => [String(line.line), `${line.name}, ${line.quantity} ordered`]) },
  { name: "available", label: "Units that are there", value: "0", type: "number" },
];
