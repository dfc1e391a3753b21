/** Deliveries of webhooks: their attempts, and sending them again with a preview and the outcome. */

import { attemptWords, stateWords, succeeded, typeWords, versionOf } from "../core/deliveries.js";
import { exact } from "../core/time.js";
import { post } from "./api.js";
import { Badge, Countdown, Said } from "./parts.js";
import { classes, html } from "./view.js";

/** @typedef {import("../core/deliveries.js").Delivery} Delivery */

const TONES = /** @type {Record<string, string>} */ ({
  delivered: "closed",
  failed: "parked",
  "on the way": "running",
  retrying: "stopped",
});

/** How a delivery stands. @param {{of: Delivery}} props */
export const Standing = ({ of }) => html`<${Badge} of=${TONES[stateWords(of)]} label=${stateWords(of)} />`;

/** Attempts that are listed; older ones are counted. */
const SHOWN = 5;

/**
 * The codes of the attempts, the newest last, each with its time.
 * @param {{of: import("../core/deliveries.js").Attempt[]}} props
 */
export const Attempts = ({ of }) =>
  of.length
    ? html`<span class="attempts">
        ${of.length > SHOWN && html`<span class="dim">${of.length - SHOWN} before, </span>`}
        ${of.slice(-SHOWN).map((attempt) => html`<code
          class=${succeeded(attempt) ? "verified" : "attention"}
          title=${`${exact(attempt.at)}, ${attemptWords(attempt)}`}
        >
          ${attempt.http ?? "no answer"}
        </code>`)}
      </span>`
    : html`<span class="dim">not sent yet</span>`;

/** What a delivery is about. @param {{of: Delivery}} props */
export const About = ({ of }) =>
  html`${typeWords(of.type)}${versionOf(of) > 0 && html` <span class="dim">#${versionOf(of)}</span>`}`;

/**
 * Return the action that sends deliveries again: what it means beforehand, and afterwards what each receiver answered.
 * @param {Delivery[]} deliveries
 * @param {any[]} endpoints
 * @returns {import("./action.js").ActionKind}
 */
export function resending(deliveries, endpoints) {
  const of = (/** @type {Delivery} */ delivery) => endpoints.find(({ id }) => id === delivery.webhook);
  const off = [...new Set(deliveries.map(of).filter((endpoint) => endpoint && endpoint.status !== "enabled"))];
  const one = deliveries.length === 1;
  return {
    title: one ? "Send again" : `Send ${deliveries.length} deliveries again`,
    path: "deliveries",
    reason: null,
    body: () => ({}),
    send: async () => {
      const sent = [];
      for (const { id } of deliveries) sent.push(await post(`deliveries/${id}/resend`, undefined));
      return { sent };
    },
    effect: html`<div class="preview">
      <h3>What happens</h3>
      <ul>
        ${deliveries.map((delivery) => html`<li>
          <${About} of=${delivery} /> is sent now to <${Said}>${of(delivery)?.url ?? delivery.webhook}</${Said}>, until
          now: <${Attempts} of=${delivery.attempts} />
        </li>`)}
      </ul>
      <p class="dim">
        ${one ? "It has" : "Each has"} the id and the content of the first time, so the receiver can tell that it came
        before. If it fails, it is sent again for three days. The order does not change.
      </p>
      ${off.map((endpoint) => html`<p class="attention">
        This endpoint is ${endpoint.status}: it gets what is sent here once; further attempts begin when its service
        enables it.
      </p>`)}
    </div>`,
    show: ({ sent }) => html`
      <h3>What the ${one ? "receiver" : "receivers"} answered</h3>
      <ul class="outcome">
        ${sent.map((/** @type {Delivery} */ delivery) => html`<li>
          <${Answered} delivery=${delivery} url=${of(delivery)?.url} />
        </li>`)}
      </ul>
    `,
  };
}

/** @param {{delivery: Delivery, url: string | undefined}} props */
function Answered({ delivery, url }) {
  const last = delivery.attempts[delivery.attempts.length - 1];
  return html`
    <${Standing} of=${delivery} /> <${About} of=${delivery} />${" "}
    <span class="dim">to <${Said}>${url ?? delivery.webhook}</${Said}></span>
    ${last && html`<p class=${classes(!succeeded(last) && "attention")}>
      ${attemptWords(last)}
      ${delivery.next_try && html`, next attempt <${Countdown} until=${delivery.next_try} />`}
    </p>`}
  `;
}
