/** Understands what is typed into the one search box: ids, phones, e-mails, names, amounts, times, references. */

import { clock, day, instantAt } from "./time.js";

/** @typedef {{now: Date, zone: string}} Clock */
/**
 * @typedef {object} Understood
 * @property {string} label what it is taken for, in words
 * @property {string} [order] the order to open
 * @property {Record<string, string>} [filters] filters of the list of orders; a `restaurant_name` is looked up once it
 *   is chosen
 * @property {Record<string, string>} [personal] what is sent in a body and never in an address
 * @property {Record<string, string>} [events] filters of the event log
 */

const QUARTER_MS = 15 * 60_000;
const DAY_MS = 86_400_000;
const CURRENCIES = { "€": "EUR", "$": "USD", "£": "GBP", "¥": "JPY" };

/**
 * Return what a text may mean, the likeliest first.
 * @param {string} text
 * @param {Date} [now] for a time without a date
 * @param {string} [currency] for an amount without one
 * @param {string} [zone] in which days and times are meant, as the console shows them
 * @returns {Understood[]}
 */
export function understand(text, now = new Date(), currency = "EUR", zone = "UTC") {
  const typed = text.trim().replace(/\s+/g, " ");
  if (!typed) return [];
  if (/^ord_[a-z2-7]{26}$/i.test(typed)) return [{ label: `Order ${typed.toLowerCase()}`, order: typed.toLowerCase() }];
  /** @type {Understood[]} */
  const found = [];
  if (/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(typed)) return [{ label: `E-mail ${typed}`, personal: { email: typed } }];
  if (/^(cus|cust|customer)[_-][\w.-]+$/i.test(typed))
    found.push({ label: `Customer ${typed}`, filters: { customer: typed } });
  if (/^(rst|rest|res|restaurant)[_-][\w.-]+$/i.test(typed))
    found.push({ label: `Restaurant ${typed}`, filters: { restaurant: typed } });
  if (/^(cou|courier)[_-][\w.-]+$/i.test(typed)) found.push({ label: `Courier ${typed}`, filters: { courier: typed } });
  if (/^(pi|auth|ch|re|cap|ref|pay)_[\w]+$/i.test(typed))
    found.push({ label: `Payment reference ${typed}`, filters: { payment_reference: typed } });
  if (/^[0-9a-f]{32}$/.test(typed)) found.push({ label: `Trace ${typed}`, events: { correlation: typed } });
  if (found.length) return found;
  const time = asTime(typed, { now, zone });
  const restaurants = time ? [] : asRestaurantAndTime(typed, { now, zone });
  if (restaurants.length) return restaurants;
  if (time) found.push(time);
  const amount = asAmount(typed, currency);
  if (amount) found.push(amount);
  if (
    /^\+?[\d ()./-]{6,}$/.test(typed) &&
    typed.replace(/\D/g, "").length >= 6 &&
    !time &&
    !/^\d{4}-\d\d-\d\d$/.test(typed)
  )
    found.push({ label: `Phone ${typed}`, personal: { phone: typed } });
  const called = !amount && /\p{L}/u.test(typed) && !/^ord_/.test(typed);
  const name = { label: `Name ${typed}`, personal: { name: typed } };
  const isWord = called && !/\d/.test(typed); // most ids have a digit
  if (isWord) found.push(name);
  const id = isWord ? typed : typed.toLowerCase(); // capitals without a digit are a name
  if (/^(ord_)?[a-z2-7]{1,26}$/.test(id))
    found.push({ label: `Order id that begins with ${id.replace(/^ord_/, "")}`, filters: { id_prefix: id } });
  if (/^[a-z2-7]{4,26}$/.test(id)) found.push({ label: `Order id that ends with ${id}`, filters: { id_suffix: id } });
  if (called && !isWord) found.push(name);
  if (isId(typed) && !/^ord_/.test(typed)) {
    found.push({ label: `Restaurant ${typed}`, filters: { restaurant: typed } });
    found.push({ label: `Customer ${typed}`, filters: { customer: typed } });
  }
  if (called) found.push({ label: `Restaurant called ${typed}`, filters: { restaurant_name: typed } });
  return found;
}

/** @param {string} text @param {string} currency @returns {Understood | null} */
function asAmount(text, currency) {
  const match = text.match(/^([€$£¥])?\s?(\d{1,6}(?:[.,]\d{1,2})?)\s?([€$£¥]|[A-Za-z]{3})?$/);
  if (!match || (match[1] && match[3])) return null;
  const mark = match[1] ?? match[3];
  const wanted = mark ? (/** @type {Record<string, string>} */ (CURRENCIES)[mark] ?? mark.toUpperCase()) : currency;
  if (!mark && !/[.,]/.test(text) && text.length > 5) return null;
  const amount = match[2].replace(",", ".");
  return {
    label: `Amount of ${amount} ${wanted}`,
    filters: { amount_min: amount, amount_max: amount, currency: wanted },
  };
}

const TIME = String.raw`(\d{4}-\d{2}-\d{2})?(?:(?:^|[ T])(\d{1,2}:\d{2}))?`;

/**
 * A day, or a quarter of an hour: of a day, or of the last 24 hours.
 * @param {string} text
 * @param {Clock} clockNow
 * @returns {Understood | null}
 */
function asTime(text, { now, zone }) {
  const [, date, time] = text.match(new RegExp(`^${TIME}$`)) ?? [];
  if (!date && !time) return null;
  const today = day(now.toISOString(), zone);
  let from = instantAt(date ?? today, time ?? "00:00", zone);
  if (Number.isNaN(from.getTime())) return null;
  if (!date && from > now) from = instantAt(dayAfter(today, -1), time, zone);
  const to = time ? new Date(from.getTime() + QUARTER_MS) : instantAt(dayAfter(date, 1), "00:00", zone);
  return {
    label: time
      ? `Placed from ${text} to ${clock(to.toISOString(), zone, false)} (${zone})`
      : `Placed on ${text} (${zone})`,
    filters: { placed_from: from.toISOString(), placed_to: to.toISOString() },
  };
}

/** Whether a text looks like an id that people gave: `trattoria-nonna`, `luigi_1`. @param {string} text */
const isId = (text) => /^[\w.-]+$/.test(text) && /[-_.\d]/.test(text) && /\p{L}/u.test(text);

/**
 * A restaurant and when: `Trattoria Nonna 18:30`, `trattoria-nonna 2026-05-01 18:30`, or the other way round.
 * @param {string} text
 * @param {Clock} clockNow
 * @returns {Understood[]}
 */
function asRestaurantAndTime(text, clockNow) {
  const words = text.split(" ");
  for (const count of [2, 1])
    for (const at of [words.length - count, 0]) {
      const time = asTime(words.slice(Math.max(0, at)).slice(0, count).join(" "), clockNow);
      const restaurant = words.toSpliced(at, count).join(" ");
      if (!time || !/\p{L}/u.test(restaurant)) continue;
      const when = `${time.label[0].toLowerCase()}${time.label.slice(1)}`;
      const called = {
        label: `Restaurant called ${restaurant}, ${when}`,
        filters: { restaurant_name: restaurant, ...time.filters },
      };
      return isId(restaurant)
        ? [{ label: `Restaurant ${restaurant}, ${when}`, filters: { restaurant, ...time.filters } }, called]
        : [called];
    }
  return [];
}

/** @param {string} date @param {number} days */
const dayAfter = (date, days) => new Date(Date.parse(`${date}T00:00:00Z`) + days * DAY_MS).toISOString().slice(0, 10);
