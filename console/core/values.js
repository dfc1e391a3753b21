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
  if (typeof value.state === "string") return [words(value.state), value.amount && inWords(value.amount), value.courier].filter(Boolean).join(", ");
  if (typeof value.intent === "string") return value.intent;
  if (typeof value.role === "string" && typeof value.id === "string") return value.role === "system" ? "the engine" : `${value.role} ${value.id}`;
  const parts = Object.entries(value).map(([name, each]) => `${words(name)} ${inWords(each, zone)}`);
  return parts.length ? parts.join(", ") : "none";
}

/** Leave an order's id out of a sentence that stands on the order's own page. @param {string} text @param {string} id */
export const withoutId = (text, id) => text.replaceAll(`order ${id}`, "the order");

/** Write a name of the API in words: `picked_up` becomes `picked up`. @param {string} name */
export const words = (name) => name.replaceAll("_", " ");
