/** Values of an order's state in words: money, times, names, nothing. */

import { money } from "./money.js";
import { dateTime } from "./time.js";

/** @param {any} value @param {string} [zone] @returns {string} */
export function inWords(value, zone = "UTC") {
  if (value === null || value === undefined || value === "") return "none";
  if (value === true) return "yes";
  if (value === false) return "no";
  if (typeof value === "string") return /^\d{4}-\d\d-\d\dT.*Z$/.test(value) ? dateTime(value, zone) : value;
  if (typeof value === "number") return String(value);
  if (typeof value.amount === "string" && typeof value.currency === "string") return money(value);
  if (Array.isArray(value)) return value.length ? value.map((each) => inWords(each, zone)).join(", ") : "none";
  if (typeof value.state === "string")
    return [words(value.state), value.amount && inWords(value.amount), value.courier].filter(Boolean).join(", ");
  if (typeof value.intent === "string") return typeWords(value.intent);
  if (typeof value.role === "string" && typeof value.id === "string")
    return value.role === "system" ? "the engine" : `${value.role} ${value.id}`;
  if (typeof value.version === "number" && Object.keys(value).length === 1) return `event ${value.version}`;
  const parts = Object.entries(value).map(([name, each]) => `${words(name)} ${inWords(each, zone)}`);
  return parts.length ? parts.join(", ") : "none";
}

/**
 * Leave an order's id out of a sentence that stands on the order's own page.
 * @param {string} text
 * @param {string} id
 */
export const withoutId = (text, id) => text.replaceAll(`order ${id}`, "the order");

/** What an order waits for, by the API's name. @type {Record<string, string>} */
export const WAITS = {
  authorization: "authorization", acceptance: "restaurant", readiness: "meal", assignment: "courier", pickup: "pickup",
  delivery: "delivery", settlement: "payment", compensation: "compensation", run: "next run",
};

/** The statuses of orders that have ended. */
export const ENDED = ["completed", "cancelled", "abandoned"];

/** The statuses of orders that have not ended. */
export const UNDER_WAY = ["placed", "authorized", "preparing", "ready", "picked_up", "delivered", "cancelling"];

/** Write the name of an account of the books in words. @param {string} account */
export const accountWords = (account) => words(account.replace(":", ", at fault: "));

/** Write why an order was cancelled. @param {string} cause */
export const causeWords = (cause) => CAUSES[cause] ?? words(cause);

/** @type {Record<string, string>} */
const CAUSES = {
  asked: "cancelled on request", preparation_rejected: "restaurant rejected",
  preparation_timed_out: "no answer in time", preparation_overdue: "meal not ready", nothing_left: "all out of stock",
};

/** Write the name of a type in words: `PaymentVoidRequested` becomes `payment void requested`. @param {string} type */
export const typeWords = (type) => type.replace(/([a-z])([A-Z])/g, "$1 $2").toLowerCase();

/** Write a name of the API in words: `picked_up` becomes `picked up`. @param {string} name */
export const words = (name) => name.replaceAll("_", " ");

const HELD = /** @type {Record<string, string>} */ ({
  authorization: "amount reserved on the card (authorization)",
  capture: "amount charged (capture)",
  ticket: "ticket at the restaurant",
  offer: "offer to a courier",
});

/**
 * Say what an order holds or owes; of a refund, the request for it is what is owed.
 * @param {{holding: string, intent: number}} owed
 * @param {any[]} events of the order
 */
export const heldWords = ({ holding, intent }, events) =>
  events.some(({ version, type }) => version === intent && type === "PaymentRefundRequested")
    ? "refund"
    : (HELD[holding] ?? holding);

const ACCOUNTS = /** @type {Record<string, string>} */ ({
  holds: "reserved on cards: promised, not moved", held_for_customers: "the other side of what is reserved on cards",
  customer_receivable: "what the customer owes for a delivered meal until it is charged",
  provider_clearing: "what the payment provider took, less what it refunded",
  restaurant_payable: "what the restaurant gets", courier_payable: "what the courier gets",
  platform_fees: "what the platform earns", kept: "charged, and by decision of a person not refunded",
  credits: "price taken off after a complaint, an expense of this party",
  write_offs: "not collected from the customer, an expense of this party",
});

/** Say what an account is for. @param {string} account */
export const accountTitle = (account) => ACCOUNTS[account.split(":")[0]];
