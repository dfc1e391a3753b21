/** The books in words and links: accounts, differences, and what is owed by holding and age. */

import { address } from "./addresses.js";
import { isZero, minus, sums } from "./money.js";

/** @typedef {import("./money.js").Money} Money */

const DAY_MS = 86_400_000;

/** The types of events that post to an account. The ledger of each order is exact; this finds the orders. */
const POSTED_BY = /** @type {[RegExp, string[]][]} */ ([
  [
    /^(holds|held_for_customers)$/,
    ["PaymentAuthorized", "PaymentCaptured", "PaymentVoided", "WrittenOff", "OrderAbandoned"],
  ],
  [/^provider_clearing$/, ["PaymentCaptured", "PaymentFound", "PaymentRefunded"]],
  [/^customer_receivable$/, ["OrderDelivered", "PaymentCaptured", "PaymentFound", "PaymentRefunded", "CreditGranted"]],
  [/^(restaurant_payable|courier_payable|platform_fees)$/, ["OrderDelivered"]],
  [/^credits:/, ["CreditGranted"]],
  [/^(write_offs:|kept$)/, ["WrittenOff", "OrderAbandoned"]],
]);

/**
 * Return the address of the events that moved money on an account in the period.
 * @param {string} account
 * @param {{day_from?: string, day_to?: string, restaurant?: string}} period
 */
export function eventsOf(account, period) {
  const types = POSTED_BY.find(([pattern]) => pattern.test(account))?.[1] ?? [];
  return address("events", {
    type: types.join(","),
    restaurant: period.restaurant,
    recorded_from: period.day_from && `${period.day_from}T00:00:00Z`,
    recorded_to: period.day_to && new Date(Date.parse(`${period.day_to}T00:00:00Z`) + DAY_MS).toISOString(),
  });
}

/**
 * Return the address of the query that lists the orders with a balance on an account, the largest first.
 * @param {string} account
 * @param {string} currency
 * @param {{day_from?: string, day_to?: string, restaurant?: string}} period
 */
export function queryOf(account, currency, period) {
  const text = (/** @type {string} */ value) => `'${value.replaceAll("'", "''")}'`;
  const where = [`account = ${text(account)}`, `currency = ${text(currency)}`];
  if (period.restaurant) where.push(`restaurant = ${text(period.restaurant)}`);
  if (period.day_to) where.push(`day <= ${text(period.day_to)}`);
  const sql = `SELECT order_id, SUM(debit_minor - credit_minor) AS balance_minor FROM ledger
WHERE ${where.join(" AND ")}
GROUP BY order_id HAVING SUM(debit_minor - credit_minor) <> 0
ORDER BY ABS(SUM(debit_minor - credit_minor)) DESC`;
  return address("audit/query", { sql });
}

/** The ages of totals, with the seconds from which on each begins. */
export const AGES = /** @type {[string, string, number][]} */ ([
  ["under_an_hour", "under an hour", 0],
  ["under_a_day", "under a day", 3600],
  ["under_a_week", "under a week", 86_400],
  ["older", "a week and more", 604_800],
]);

/**
 * Group the totals of what is owed: one row for each holding and currency.
 * @param {{currency: string, holding: string, age: string, items: number, amount: Money}[]} totals
 */
export function owedRows(totals) {
  /**
   * @type {Map<string, {holding: string, currency: string, items: number, byAge: Record<string, {items: number, amount:
   *   Money}>, amount: Money | null}>}
   */
  const rows = new Map();
  for (const total of totals) {
    const key = `${total.holding} ${total.currency}`;
    const row = rows.get(key) ?? {
      holding: total.holding,
      currency: total.currency,
      items: 0,
      byAge: {},
      amount: null,
    };
    row.byAge[total.age] = total;
    row.items += total.items;
    row.amount = sums([row.amount, total.amount])[0] ?? null;
    rows.set(key, row);
  }
  return [...rows.values()];
}

/**
 * Return the accounts of one currency whose balances contradict one another, in words; none if the books are right.
 * @param {{currency: string, balanced: boolean, debit: Money, credit: Money, accounts: {account: string, closing:
 *   Money}[]}} books
 * @returns {{what: string, amount: Money}[]}
 */
export function contradictions(books) {
  const closing = (/** @type {string[]} */ names) =>
    books.accounts.filter(({ account }) => names.includes(account)).map((each) => each.closing);
  const all = sums(books.accounts.map((each) => each.closing))[0];
  const holds = sums(closing(["holds", "held_for_customers"]))[0];
  /** @type {{what: string, amount: Money}[]} */
  const found = [];
  if (all && !isZero(all)) found.push({ what: "The closing balances do not add up to zero", amount: all });
  if (holds && !isZero(holds)) found.push({ what: "Money on hold is not what is held for customers", amount: holds });
  if (!books.balanced && !found.length)
    found.push({ what: "Debits and credits of the period differ", amount: minus(books.debit, books.credit) });
  return found;
}
