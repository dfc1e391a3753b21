/** The payment provider's side of an order: what it answered, as the log recorded it, beside what the ledger booked. */

import { isZero, minus, sums } from "./money.js";

/** @typedef {import("./money.js").Money} Money */
/**
 * @typedef {{version: number, what: string, amount: Money | null, reference: string | null, bad: boolean}}
 *   ProviderAnswer
 */
/** @typedef {{account: string, provider: Money, ledger: Money, agrees: boolean}} Comparison */

const ANSWERS = /** @type {Record<string, {what: string, id?: string, bad?: boolean}>} */ ({
  PaymentAuthorized: { what: "held", id: "authorization_id" },
  PaymentDeclined: { what: "declined", bad: true },
  PaymentFound: { what: "captured besides", id: "capture_id" },
  PaymentNotFound: { what: "not found", bad: true },
  PaymentCaptured: { what: "captured", id: "capture_id" },
  PaymentCaptureRefused: { what: "capture refused", bad: true },
  PaymentVoided: { what: "released" },
  PaymentVoidRefused: { what: "release refused", bad: true },
  PaymentRefunded: { what: "refunded", id: "refund_id" },
  PaymentRefundRefused: { what: "refund refused", bad: true },
});

/**
 * Return the provider's answers up to a version of the order, the oldest first.
 * @param {import("./sagas.js").TimelineEvent[]} events
 * @param {number} version
 * @returns {ProviderAnswer[]}
 */
export const answersOf = (events, version) =>
  events
    .filter((event) => event.version <= version && event.type in ANSWERS)
    .map(({ version: at, type, data }) => {
      const { what, id, bad } = ANSWERS[type];
      return {
        version: at,
        what: bad && data.reason ? `${what}: ${String(data.reason).replaceAll("_", " ")}` : what,
        amount: data.amount ?? null,
        reference: id ? data[id] : null,
        bad: Boolean(bad),
      };
    });

/**
 * Compare what the provider holds and has taken, by its own answers, with the balances of the ledger's two accounts for
 * it.
 * @param {ProviderAnswer[]} answers
 * @param {{version: number, postings: {account: string, amount: Money}[]}[]} transactions
 * @param {number} version
 * @param {string} currency
 * @returns {Comparison[]}
 */
export function compareWithLedger(answers, transactions, version, currency) {
  const zero = { amount: "0", currency };
  const booked = (/** @type {string} */ account) =>
    sums([
      zero,
      ...transactions
        .filter((each) => each.version <= version)
        .flatMap(({ postings }) =>
          postings.filter((posting) => posting.account === account).map(({ amount }) => amount),
        ),
    ])[0];
  const held = answers.reduce(
    (now, { what, amount }) =>
      what === "held" ? (amount ?? now) : what === "captured" || what === "released" ? zero : now,
    zero,
  );
  const of = (/** @type {string[]} */ ...wanted) =>
    sums([zero, ...answers.filter(({ what }) => wanted.includes(what)).map(({ amount }) => amount)])[0];
  const sides = /** @type {[string, Money, Money][]} */ ([
    ["held", held, booked("holds")],
    ["taken", minus(of("captured", "captured besides"), of("refunded")), booked("provider_clearing")],
  ]);
  return sides.map(([account, provider, ledger]) => ({
    account,
    provider,
    ledger,
    agrees: isZero(minus(provider, ledger)),
  }));
}
