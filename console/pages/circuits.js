/** The circuit breakers of the providers: what each state means for orders, the orders that wait, and the history. */

import { get, useLoaded } from "../kit/api.js";
import { ActionDialog } from "../kit/action.js";
import { Ago, Card, CircuitState, Countdown, Facts, Said, Time, Trouble, actorWords, words } from "../kit/parts.js";
import { address } from "../kit/router.js";
import { may } from "../kit/session.js";
import { html, useEffect, useState } from "../kit/view.js";

const EVERY_MS = 5000;

/** @type {Record<string, string>} */
const MEANS = {
  closed: "Calls are made.",
  open:
    "Calls are stopped, because too many failed. One is tried every few seconds; " +
    "once it succeeds, the orders that wait continue by themselves.",
  half_open: "One call is being tried. If it succeeds, the orders that wait continue by themselves.",
  held_open: "A person stopped all calls. The orders that wait continue only when a person starts calls again.",
};

/** What orders wait for while a provider does not answer, open circuit or not. @type {Record<string, string[]>} */
const WAITS = {
  payments: ["authorization", "settlement", "compensation"],
  kitchen: ["acceptance"],
  couriers: ["assignment"],
};

export default function Circuits() {
  const list = useLoaded((signal) => get("circuits", { signal }), []);
  useEffect(() => {
    const timer = setInterval(list.reload, EVERY_MS);
    return () => clearInterval(timer);
  }, []);
  return html`
    <div class="page-head">
      <h1>Circuits</h1>
      <span class="dim">calls to a provider stop while its circuit is open; orders wait, and none is lost</span>
    </div>
    <${Trouble} problem=${list.error} retry=${list.reload} />
    <div class="grid thirds">
      ${(list.data?.circuits ?? []).map((/** @type {any} */ c) => html`<${Circuit}
        key=${c.dependency}
        circuit=${c}
        read=${list.data}
        changed=${list.reload}
      />`)}
    </div>
  `;
}

/** What opening or closing would do, as the API computed it. @param {{plan: any}} props */
const Plan = ({ plan }) => html`<div class="preview">
  <h3>What happens</h3>
  <ul>
    <li>
      ${plan.events.length
        ? html`Recorded: ${plan.events.map((/** @type {string} */ type) => html`<code>${type}</code> `)}`
        : "Nothing is recorded: it is in that state already."}
    </li>
    <li>Then: <${CircuitState} state=${plan.state} /></li>
    <li>${plan.waiting} ${plan.waiting === 1 ? "order waits" : "orders wait"} at it now</li>
  </ul>
</div>`;

/** @param {{circuit: any, read: any, changed: () => void}} props `read` is another value after each reading */
function Circuit({ circuit, read, changed }) {
  const [acting, act] = useState("");
  const history = useLoaded((signal) => get(`circuits/${circuit.dependency}`, { signal }), [circuit.dependency, read]);
  const closed = circuit.state === "closed";
  const transitions = [...(history.data?.transitions ?? [])].reverse();
  const last = closed ? null : transitions[0];
  return html`<${Card} title=${circuit.dependency} note=${html`<${CircuitState} state=${circuit.state} />`}>
    <p class=${closed ? "sentence" : "sentence attention"}>${MEANS[circuit.state]}</p>
    <${Facts} rows=${[
      ["Since", circuit.since ? html`<${Ago} at=${circuit.since} />` : "it never opened"],
      ["Why", last && html`<${Said}>${reasonOf(last)}</${Said}>, ${actorWords(last.actor)}`],
      ["Recent calls", circuit.calls ? `${circuit.failures} of ${circuit.calls} failed` : "none"],
      ["Last error of a probe", circuit.probe_error],
    ]} />
    ${may("set_circuit") && html`<div class="actions">
      ${circuit.state !== "held_open" && html`<button type="button" onClick=${() => act("open")}>Stop calls</button>`}
      ${!closed && html`<button type="button" class="primary" onClick=${() => act("close")}>Start calls again</button>`}
    </div>`}
    <${Trouble} problem=${history.error} retry=${history.reload} />
    ${history.data && html`<${Waiting} circuit=${circuit} history=${history.data} />`}
    <h3 class="sub">The last week</h3>
    ${transitions.length
      ? html`<ol class="lines wrapped">
          ${transitions.slice(0, 12).map((/** @type {any} */ t) => html`<li>
            <span>
              ${words(
                t.type
                  .replace(/^Circuit/, "")
                  .replace(/([a-z])([A-Z])/g, "$1 $2")
                  .toLowerCase(),
              )}
            </span>
            <span class="dim">${reasonOf(t) && html`<bdi>${reasonOf(t)}</bdi>, `}${actorWords(t.actor)}</span>
            <${Time} at=${t.at} />
          </li>`)}
        </ol>`
      : html`<p class="dim">No change.</p>`}
    ${acting && html`<${ActionDialog}
      kind=${kindOf(acting, circuit.dependency)}
      close=${() => act("")}
      done=${changed}
    />`}
  </${Card}>`;
}

/** @param {any} transition */
const reasonOf = (transition) => transition.data.reason ?? transition.data.last_error ?? "";

/**
 * The orders that wait for the circuit to close, and where else orders stand that this provider holds up.
 * @param {{circuit: any, history: any}} props
 */
function Waiting({ circuit, history }) {
  const { waiting, waiting_more: more } = history;
  const elsewhere = WAITS[circuit.dependency] ?? [];
  return html`
    <h3 class="sub">
      ${waiting.length
        ? `${waiting.length}${more ? " or more" : ""} ${waiting.length === 1 ? "order waits" : "orders wait"} at it`
        : "No order waits at it"}
    </h3>
    ${waiting.length > 0 && html`<ul
      class="lines waiting"
      tabindex="0"
      role="list"
      aria-label=${`Orders that wait at ${circuit.dependency}`}
    >
      ${waiting.map((/** @type {any} */ w) => html`<li key=${`${w.order_id} ${w.since}`}>
        <a href=${`orders/${w.order_id}`} data-row><code>${w.order_id.slice(4, 14)}</code></a>
        <span class="dim">${w.undoing ? "to give back" : "to go on"}, since <${Ago} at=${w.since} /></span>
        <span class="dim">parked <${Countdown} until=${w.until} /></span>
      </li>`)}
    </ul>`}
    <p class="dim">
      Orders that wait for an answer from ${circuit.dependency}, whether its circuit is open or
      not: ${elsewhere.map((wait, i) => html`
        ${i > 0 && ", "}
        <a href=${address("orders", { waiting_for: wait })}>${wait}</a>
      `)}.${" "}
      <a href=${address("orders", { dependency: circuit.dependency, parked: true })}>Parked at ${circuit.dependency}</a>
      ${may("read_books") && html`,${" "}
        <a href=${address("money", { dependency: circuit.dependency })}>owed at ${circuit.dependency}</a>`}.
    </p>
  `;
}

/** @param {string} acting @param {string} dependency @returns {import("../kit/action.js").ActionKind} */
const kindOf = (acting, dependency) => ({
  title:
    acting === "open"
      ? `Stop all calls to ${dependency}: hold its circuit open`
      : `Start calls to ${dependency} again: close its circuit`,
  path: `circuits/${dependency}/${acting}`,
  dry: true,
  preview: (answer) => html`<${Plan} plan=${answer.plan} />`,
  body: (v) => ({ reason: v.reason }),
  effect:
    acting === "open"
      ? "No call is made to this provider until a person starts them again. " +
        "Orders that need it wait; an order that has waited for six hours is parked."
      : "Calls are made again at once, and the orders that wait continue in batches. " +
        "It opens again by itself if calls fail.",
  show: (answer) => html`<p>
    Now: <${CircuitState} state=${answer.circuit.state} />
    ${answer.waiting.length > 0 &&
      acting === "close" &&
      `. ${answer.waiting.length}${answer.waiting_more ? " or more" : ""} ` +
        `${answer.waiting.length === 1 ? "order continues" : "orders continue"} now, in batches; ` +
        "each leaves the list when it goes on."}
  </p>`,
});
