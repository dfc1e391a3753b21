/** The order's money at the chosen moment: what the provider holds and took, and the ledger in double entry. */

import { isZero, minus, money, negative, share, sums } from "../../core/money.js";
import { accountTitle, accountWords } from "../../core/values.js";
import { Amount, Card, Copy } from "../../kit/parts.js";
import { classes, html, memo } from "../../kit/view.js";
import { Provider } from "./provider.js";

/** @param {any} props */
export function Money({ state, ledger, event, timeline }) {
  if (!state?.payment) return null;
  const { authorized, captured, released, refunded } = state.payment;
  const held = minus(minus(authorized, captured), released);
  const kept = minus(captured, refunded);
  const parts = /** @type {[string, any][]} */ ([
    ["captured", kept],
    ["refunded", refunded],
    ["held", held],
    ["released", released],
  ]);
  const unreturned = booked(ledger, event.version, /^kept$/);
  const amounts = /** @type {[string, any, string][]} */ ([
    ["Held", held, "reserved on the card, not charged"],
    ["Captured", captured, "charged"],
    ["Refunded", refunded, "given back"],
    ["Net", kept, "charged, less what was given back"],
    ["Not refunded", unreturned && negative(unreturned), "charged, and by decision of a person not given back"],
    ["Written off", booked(ledger, event.version, /^write_offs:/), "not collected from the customer"],
  ]).filter(([label, amount]) => !/^(Not|Written)/.test(label) || (amount && !isZero(amount)));
  const whole = sums(parts.map(([, amount]) => amount))[0] ?? authorized;
  return html`<${Card} title="Money" note=${`double entry, ${authorized.currency}`} flush>
    <div class="purse">
      ${amounts.map(([label, amount, title]) => html`<div title=${title}>
        <span class="dim">${label}</span>
        <strong>${money(amount)}</strong>
      </div>`)}
    </div>
    ${!isZero(whole) && html`
      <div
        class="stacked"
        role="img"
        aria-label=${parts
          .filter(([, a]) => !isZero(a))
          .map(([name, a]) => `${name} ${money(a)}`)
          .join(", ")}
      >
        ${parts.map(([name, amount]) => html`<span
          data-part=${name}
          style=${{ width: `${100 * share(amount, whole)}%` }}
        ></span>`)}
      </div>
      <p class="legend">
        ${parts.filter(([, a]) => !isZero(a)).map(
          ([name, a]) => html`<span><i data-part=${name}></i>${name} ${money(a)}</span>`,
        )}
      </p>
    `}
    ${ledger && html`
      <${Ledger}
        ledger=${ledger}
        until=${ledger.transactions.findLast((/** @type {any} */ t) => t.version <= event.version)?.version ?? 0}
      />
      <${Provider}
        events=${timeline.events}
        version=${event.version}
        transactions=${ledger.transactions}
        currency=${authorized.currency}
      />
    `}
  </${Card}>`;
}

/**
 * Return what is booked on accounts until a version.
 * @param {any} ledger
 * @param {number} version
 * @param {RegExp} accounts
 */
const booked = (ledger, version, accounts) =>
  sums(
    (ledger?.transactions ?? [])
      .filter((/** @type {any} */ t) => t.version <= version)
      .flatMap((/** @type {any} */ t) => t.postings)
      .filter((/** @type {any} */ p) => accounts.test(p.account))
      .map((/** @type {any} */ p) => p.amount),
  )[0];

/**
 * Drawn again only where the slider passes a transaction: `until` is the last one that had happened.
 * @param {{ledger: any, until: number}} props
 */
const Ledger = memo(({ ledger, until }) => {
  const transactions = ledger.transactions;
  const balanced = transactions.every((/** @type {any} */ t) =>
    sums(t.postings.map((/** @type {any} */ p) => p.amount)).every(isZero),
  );
  if (!transactions.length) return html`<p class="empty">No money has moved.</p>`;
  const count = transactions.reduce((/** @type {number} */ n, /** @type {any} */ t) => n + t.postings.length, 0);
  return html`
    <div class="table-box" tabindex="0" role="region" aria-label="Ledger">
      <table class="ledger">
        <thead class="visually-hidden"><tr><th>Event</th><th>Account</th><th>Amount</th></tr></thead>
        ${transactions.map((/** @type {any} */ t) => html`<tbody class=${classes(t.version > until && "later")}>
          ${t.postings.map((/** @type {any} */ p, /** @type {number} */ i) => html`<tr>
            <td class="dim">${i === 0 ? t.version : ""}</td>
            <td title=${accountTitle(p.account)}>
              ${accountWords(p.account)}
              ${p.party && html` <bdi class="dim">${p.party}</bdi>`}
            </td>
            <td class="end"><${Amount} of=${p.amount} /></td>
          </tr>`)}
          ${t.reference && html`<tr class="reference">
            <td></td>
            <td colspan="2"><${Copy} text=${t.reference} label="Copy the provider's reference" /></td>
          </tr>`}
        </tbody>`)}
      </table>
    </div>
    <p class="sum">
      ${balanced
        ? html`<span class="verified">✓ Balanced</span>`
        : html`<span class="attention">Not balanced</span>`}${" "}
      <span class="dim">
        ${count} postings of ${transactions.length} ${transactions.length === 1 ? "event" : "events"} add up to
        zero${balanced ? "" : " only in part"}
      </span>
    </p>
  `;
});
