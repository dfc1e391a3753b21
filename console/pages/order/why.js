/**
 * Why the order is where it is: what it waits for, until when, what happens next, what is still held, what is at stake.
 */

import { isZero, withAmounts } from "../../core/money.js";
import { withTimes } from "../../core/time.js";
import { heldWords, withoutId } from "../../core/values.js";
import { Amount, Badge, Card, Countdown, Lasting, Said, Time, words, actorWords } from "../../kit/parts.js";
import { settings } from "../../kit/settings.js";
import { useStore } from "../../kit/store.js";
import { html, memo } from "../../kit/view.js";

/** `headed`: the sentence stands above already. @param {any} props */
export const Why = memo(({ id, why, events, past, headed }) => {
  const { zone } = useStore(settings);
  if (!why) return null;
  const sentence = (/** @type {string} */ text) => withTimes(withAmounts(withoutId(text, id)), zone);
  const stake = !isZero(why.at_stake) && html`<${Amount} of=${why.at_stake} /> at stake`;
  return html`<${Card}
    title="Why it is where it is"
    note=${past ? html`of the live order${stake && ", "}${stake}` : stake}
    class=${why.parked ? "why parked" : "why"}
  >
    ${!headed && html`<p class="sentence" title=${why.sentence}>${sentence(why.sentence)}</p>`}
    ${why.parked && html`<p class="parked-cause">
      <${Badge} of="parked" /> <strong>${why.parked.cause}</strong>${" "}
      <span class="dim"><${Lasting} from=${why.parked.since} /></span>
      ${why.parked.detail &&
          !why.sentence.includes(why.parked.detail.replace(/\.$/, "")) &&
          why.parked.error !== "DeliveryOverdue" && html`
        <br />
        <span class="dim">${withoutId(why.parked.detail, id)}</span>
      `}
    </p>`}
    ${why.waits.map((/** @type {any} */ wait) => html`<div class="wait">
      <div>
        <strong>Waits for ${sentence(wait.words)}</strong>
        <span class="dim">
          <${Lasting} from=${wait.since} />
          ${wait.circuit && wait.circuit !== "closed"
            ? html`, <a href="circuits">the circuit of ${wait.dependency}</a> is <${Badge} of=${wait.circuit} />`
            : ""}
        </span>
      </div>
      ${wait.until
        ? html`<span class="until">
            at the latest <strong><${Time} at=${wait.until} /></strong>${" "}
            <span class="dim">(<${Countdown} until=${wait.until} />)</span>
          </span>`
        : ""}
      <p class="dim">${sentence(wait.then)}</p>
      ${wait.last_error && html`<p class="attention">Last error: ${wait.last_error}</p>`}
    </div>`)}
    ${why.next !== [...new Set(why.waits.map((/** @type {any} */ wait) => wait.then))].join(" ") && html`<p>
      <span class="dim">Next:</span> ${sentence(why.next)}
    </p>`}
    ${why.owed.length > 0 && html`
      <h3 class="sub">Still held or owed</h3>
      <ul class="lines">
        ${why.owed.map((/** @type {any} */ o) => html`<li>
          <span>${heldWords(o, events)} <span class="dim">#${o.intent}</span></span>
          <span class="dim">
            ${[o.in_doubt && "no outcome recorded yet", o.refused && "refused by the provider"]
              .filter(Boolean)
              .join(", ")}
          </span>
          <strong><${Amount} of=${o.amount} /></strong>
        </li>`)}
      </ul>
    `}
    ${why.approvals.length > 0 && html`
      <h3 class="sub">Waits for a second person</h3>
      <ul class="lines">
        ${why.approvals.map((/** @type {any} */ a) => html`<li>
          <span>${words(a.action)} <${Amount} of=${a.amount} /></span>
          <span class="dim"><${Said}>${a.reason}</${Said}></span>
          <span><${Said}>${actorWords(a.by)}</${Said}></span>
        </li>`)}
      </ul>
    `}
  </${Card}>`;
});
