/** Money as the API sends it, a decimal text and a currency: exact sums and words in a locale. */

/** @typedef {{amount: string, currency: string}} Money */

/** @type {Map<string, Intl.NumberFormat>} */
const formats = new Map();

/**
 * Write an amount in its currency: `€12.50`.
 * @param {Money | null | undefined} money
 * @param {string} [locale]
 * @returns {string}
 */
export function money(money, locale) {
  if (!money) return "";
  const key = `${locale ?? ""} ${money.currency}`;
  let format = formats.get(key);
  if (!format) {
    try {
      format = new Intl.NumberFormat(locale, {
        style: "currency",
        currency: money.currency,
        currencyDisplay: "narrowSymbol",
      });
    } catch {
      return `${money.amount} ${money.currency}`;
    }
    formats.set(key, format);
  }
  return format.format(/** @type {any} */ (money.amount)); // a text is formatted exactly, a number would be rounded
}

/** @param {Money | null | undefined} money */
export const isZero = (money) => !money || !/[1-9]/.test(money.amount);

/** @param {Money | null | undefined} money */
export const isNegative = (money) => Boolean(money && money.amount.startsWith("-") && !isZero(money));

/** Return an amount with the other sign, e.g. what a sum is lowered by. @param {Money} of @returns {Money} */
export const negative = (of) => minus({ ...of, amount: "0" }, of);

/**
 * Return what one piece of an order's line costs: its price and those of its options.
 * @param {{unit_price: Money, options: {price: Money}[]}} line
 */
export const eachOf = (line) => sums([line.unit_price, ...line.options.map(({ price }) => price)])[0];

/**
 * Write the amounts in a sentence of the API as all others are written: `84.15 EUR held` becomes `€84.15 held`.
 * @param {string} text
 * @param {string} [locale]
 */
export const withAmounts = (text, locale) =>
  text.replace(/(?<![\d:.-])(\d+(?:\.\d+)?) (?!UTC|GMT)([A-Z]{3})\b/g, (_, amount, currency) =>
    money({ amount, currency }, locale),
  );

/**
 * Add amounts up, one sum for each currency, in the order of their first appearance.
 * @param {Iterable<Money | null | undefined>} amounts
 * @returns {Money[]}
 */
export function sums(amounts) {
  /** @type {Map<string, [bigint, number]>} the sum in units of the last decimal place, and the number of places */
  const totals = new Map();
  for (const each of amounts) {
    if (!each) continue;
    const [units, places] = minor(each.amount);
    const [sum, kept] = totals.get(each.currency) ?? [0n, 0];
    const most = Math.max(places, kept);
    totals.set(each.currency, [sum * 10n ** BigInt(most - kept) + units * 10n ** BigInt(most - places), most]);
  }
  return [...totals].map(([currency, [units, places]]) => ({ currency, amount: decimal(units, places) }));
}

/**
 * Subtract an amount of the same currency from another.
 * @param {Money} from
 * @param {Money} less
 * @returns {Money}
 */
export function minus(from, less) {
  const amount = less.amount.startsWith("-") ? less.amount.slice(1) : `-${less.amount}`;
  return sums([from, { ...less, amount }])[0] ?? from;
}

/**
 * Return the part that one amount is of another, from 0 to 1: for the width of a bar, not for sums.
 * @param {Money | null | undefined} part
 * @param {Money | null | undefined} whole
 */
export function share(part, whole) {
  if (!part || !whole || isZero(whole)) return 0;
  return Math.min(1, Math.max(0, Number(part.amount) / Number(whole.amount)));
}

/** @param {string} amount @returns {[bigint, number]} */
function minor(amount) {
  const [whole = "0", fraction = ""] = amount.split(".");
  return [BigInt(whole + fraction), fraction.length];
}

/** @param {bigint} units @param {number} places */
function decimal(units, places) {
  const digits = (units < 0n ? -units : units).toString().padStart(places + 1, "0");
  const text = places ? `${digits.slice(0, -places)}.${digits.slice(-places)}` : digits;
  return units < 0n ? `-${text}` : text;
}
