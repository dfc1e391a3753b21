/** An order that the engine fails to read: the meaning, a check whether its log was changed, and the next steps. */

import { isDamage } from "../../core/problems.js";
import { Icon } from "../../kit/icons.js";
import { Badge, Card, Copy, Facts, Said } from "../../kit/parts.js";
import { may } from "../../kit/session.js";
import { useStore } from "../../kit/store.js";
import { html } from "../../kit/view.js";
import { Progress, WhatToDo, begin, run } from "../audit/verify.js";

/** @param {{id: string, problem: any, retry: () => void}} props */
export function Unreadable({ id, problem, retry }) {
  return html`
    <div class="page-head">
      <h1>Order <span class="mono">${id.slice(4, 12)}</span> <${Badge} of="parked" label="cannot be read" /></h1>
      <div class="actions"><button type="button" onClick=${retry}>Try again</button></div>
    </div>
    <div class="stack unreadable">
      <div class="trouble" role="alert">
        <${Icon} name="warning" />
        <p><strong>The engine failed to read this order.</strong> ${problem.message}</p>
      </div>
      <${Card} title="What it means">
        <p>
          Each commit of an order has to fit its hash and the commit before it. If one was changed or is missing, the
          engine shows nothing of the order and decides nothing on it.
          ${isDamage(problem.name)
            ? "That is so here."
            : "A fault of this release is answered in the same way" +
              `${may("verify") ? ": verifying the log tells which it is" : ""}.`}
          ${" "}Other orders are not affected.
        </p>
        <div class="space-above">
          <${Facts} rows=${[
            ["Order", html`<${Copy} text=${id} label="Copy the id" />`],
            [
              "As it could last be read",
              may("list_events")
                ? html`
                    <a href=${`orders?id_prefix=${id}`}>in the list of orders</a>,${" "}
                    <a href=${`events?order=${id}`}>its events</a>
                  `
                : null,
            ],
          ]} />
        </div>
      </${Card}>
      ${may("verify")
        ? html`<${Verified} id=${id} />`
        : html`<${Card} title="What to do"><p>Give support the id of the order.</p></${Card}>`}
    </div>
  `;
}

/** What verifying the log says about one order. @param {{id: string}} props */
function Verified({ id }) {
  const now = useStore(run);
  const found = now?.findings.filter(({ stream }) => stream === `order#${id}`) ?? [];
  const whole = now?.state === "done";
  return html`
    <${Card} title="Is its log what was written?">
      <div class="actions">
        <button type="button" class="primary" disabled=${now?.state === "running"} onClick=${begin}>
          ${now ? "Verify again" : "Verify the log"}
        </button>
      </div>
      ${now && html`<${Progress} run=${now} />`}
      ${found.length > 0 && html`<div class="preview refused space-above">
        <h3>In this order</h3>
        <ul>${found.map(({ version, what }) => html`<li>Version ${version}: <${Said}>${what}</${Said}></li>`)}</ul>
      </div>`}
      ${whole && !found.length && html`<p class="sentence space-above">
        Nothing was found in this order: its log was not changed, and the engine still fails on it. The cause is in the
        engine's log.
      </p>`}
    </${Card}>
    ${found.length > 0 && html`<${Card} title="What to do"><${WhatToDo} /></${Card}>`}
  `;
}
