/** What the payment provider answered, and whether its answers add up to what the ledger booked. */

import { answersOf, compareWithLedger } from "../../core/provider.js";
import { Amount, Copy } from "../../kit/parts.js";
import { classes, html } from "../../kit/view.js";

/** @param {{events: any[], version: number, transactions: any[], currency: string}} props */
export function Provider({ events, version, transactions, currency }) {
  const answers = answersOf(events, version);
  if (!answers.length) return null;
  const compared = compareWithLedger(answers, transactions, version, currency);
  const agrees = compared.every((each) => each.agrees);
  return html`<section class="provider">
    <h3>The provider's answers</h3>
    <ul class="lines">
      ${answers.map((answer) => html`<li class=${classes(answer.bad && "attention")}>
        <span><span class="dim">${answer.version}</span> ${answer.what}</span>
        <span>
          ${answer.reference && html`<${Copy}
            text=${answer.reference}
            short=${16}
            label="Copy the provider's reference"
          />`}
        </span>
        <span>${answer.amount && html`<${Amount} of=${answer.amount} />`}</span>
      </li>`)}
    </ul>
    <div class="table-box" tabindex="0" role="region" aria-label="Provider and ledger">
      <table class="ledger sides">
        <thead>
          <tr>
            <th scope="col"><span class="visually-hidden">Amount</span></th>
            <th scope="col" class="end">provider</th>
            <th scope="col" class="end">ledger</th>
          </tr>
        </thead>
        <tbody>
          ${compared.map(({ account, provider, ledger, agrees: fits }) => html`<tr>
            <th scope="row">${account}</th>
            <td class="end"><${Amount} of=${provider} /></td>
            <td class=${classes("end", !fits && "attention")}><${Amount} of=${ledger} /></td>
          </tr>`)}
        </tbody>
      </table>
    </div>
    <p class="sum">
      ${agrees
        ? html`<span class="verified">✓ The provider's answers agree with the ledger</span>`
        : html`<span class="attention">The provider's answers and the ledger differ</span>`}
    </p>
  </section>`;
}
