/** Understands what is typed into the one search box: ids, phones, e-mails, names, amounts, times, references. */

/**
 * @typedef {object} Understood
 * @property {string} label what it is taken for, in words
 * @property {string} [order] the order to open
 * @property {Record<string, string>} [filters] filters of the list of orders
 * @property {Record<string, string>} [personal] what is sent in a body and never in an address
 * @property {Record<string, string>} [events] filters of the event log
 */

const CURRENCIES = { "€": "EUR", "$": "USD", "£": "GBP", "¥": "JPY" };

/**
 * Return what a text may mean, the likeliest first.
 * @param {string} text
 * @param {Date} [now] for a time without a date
 * @param {string} [currency] for an amount without one
 * @returns {Understood[]}
 */
export function understand(text, now = new Date(), currency = "EUR") {
  const typed = text.trim().replace(/\s+/g, " ");
  if (!typed) return [];
  if (/^ord_[a-z2-7]{26}$/i.test(typed)) return [{ label: `Order ${typed.toLowerCase()}`, order: typed.toLowerCase() }];
  /** @type {Understood[]} */
  const found = [];
  if (/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(typed)) return [{ label: `E-mail ${typed}`, personal: { email: typed } }];
  if (/^(cus|cust|customer)[_-][\w.-]+$/i.test(typed)) found.push({ label: `Customer ${typed}`, filters: { customer: typed } });
  if (/^(rst|rest|res|restaurant)[_-][\w.-]+$/i.test(typed)) found.push({ label: `Restaurant ${typed}`, filters: { restaurant: typed } });
  if (/^(cou|courier)[_-][\w.-]+$/i.test(typed)) found.push({ label: `Courier ${typed}`, filters: { courier: typed } });
  if (/^(pi|auth|ch|re|cap|ref|pay)_[\w]+$/i.test(typed)) found.push({ label: `Payment reference ${typed}`, filters: { payment_reference: typed } });
  if (/^[0-9a-f]{32}$/.test(typed)) found.push({ label: `Trace ${typed}`, events: { correlation: typed } });
  if (found.length) return found;
  const time = asTime(typed, now);
  if (time) found.push(time);
  const amount = asAmount(typed, currency);
  if (amount) found.push(amount);
  if (/^\+?[\d ()./-]{6,}$/.test(typed) && typed.replace(/\D/g, "").length >= 6 && !time)
    found.push({ label: `Phone ${typed}`, personal: { phone: typed } });
  const id = /\d/.test(typed) ? typed.toLowerCase() : typed; // capitals without a digit are a name
  if (/^(ord_)?[a-z2-7]{1,26}$/.test(id)) found.push({ label: `Order id that begins with ${id.replace(/^ord_/, "")}`, filters: { id_prefix: id } });
  if (/^[a-z2-7]{4,26}$/.test(id)) found.push({ label: `Order id that ends with ${id}`, filters: { id_suffix: id } });
  if (!amount && /\p{L}/u.test(typed) && !/^ord_/.test(typed)) found.push({ label: `Name ${typed}`, personal: { name: typed } });
  if (/^[\w.-]+$/.test(typed) && /[-_.\d]/.test(typed) && /\p{L}/u.test(typed) && !/^ord_/.test(typed)) {
    found.push({ label: `Restaurant ${typed}`, filters: { restaurant: typed } });
    found.push({ label: `Customer ${typed}`, filters: { customer: typed } });
  }
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
  return { label: `Total of ${amount} ${wanted}`, filters: { amount_min: amount, amount_max: amount, currency: wanted } };
}

/** A date, or a time of the last 24 hours: orders placed in that day or quarter of an hour. @param {string} text @param {Date} now */
function asTime(text, now) {
  const match = text.match(/^(?:(\d{4}-\d{2}-\d{2})[ T]?)?(?:(\d{1,2}):(\d{2}))?$/);
  if (!match || (!match[1] && !match[2])) return null;
  const from = match[1] ? new Date(`${match[1]}T00:00:00Z`) : new Date(now);
  if (Number.isNaN(from.getTime())) return null;
  if (!match[2]) return placed(text, from, 24 * 60);
  if (Number(match[2]) > 23 || Number(match[3]) > 59) return null;
  from.setUTCHours(Number(match[2]), Number(match[3]), 0, 0);
  if (!match[1] && from > now) from.setUTCDate(from.getUTCDate() - 1);
  return placed(text, from, 15);
}

/** @param {string} text @param {Date} from @param {number} minutes @returns {Understood} */
function placed(text, from, minutes) {
  const to = new Date(from.getTime() + minutes * 60_000);
  return {
    label: minutes > 60 ? `Placed on ${text} (UTC)` : `Placed from ${text} to ${to.toISOString().slice(11, 16)} (UTC)`,
    filters: { placed_from: from.toISOString(), placed_to: to.toISOString() },
  };
}
