/** The circuit breakers of the providers: their state, their history, and the orders that wait at them. */

import { get, useLoaded } from "../kit/api.js";
import { ActionDialog } from "../kit/action.js";
import { Ago, Badge, Card, Empty, Facts, Time, Trouble, actorWords, words } from "../kit/parts.js";
import { may } from "../kit/session.js";
import { html, useEffect, useState } from "../kit/view.js";

const EVERY_MS = 5000;

/** What orders wait for while a provider does not answer, open circuit or not. @type {Record<string, string[]>} */
const WAITS = { payments: ["authorization", "settlement", "compensation"], kitchen: ["acceptance"], couriers: ["assignment"] };

export default function Circuits() {
  const list = useLoaded((signal) => get("circuits", { signal }), []);
  useEffect(() => {
    const timer = setInterval(list.reload, EVERY_MS);
    return () => clearInterval(timer);
  }, []);
  return html`<div class="page-head"><h1>Circuits</h1><span class="dim">calls to a provider stop while its circuit is open; orders wait and continue by themselves</span></div>
    <${Trouble} problem=${list.error} retry=${list.reload} />
    <div class="grid thirds">${(list.data?.circuits ?? []).map((/** @type {any} */ c) => html`<${Circuit} key=${c.dependency} circuit=${c} changed=${list.reload} />`)}</div>`;
}

/** What opening or closing would do, as the API computed it. @param {{plan: any}} props */
const Plan = ({ plan }) => html`<div class="preview"><h3>What happens</h3><ul>
  <li>${plan.events.length ? html`Recorded: ${plan.events.map((/** @type {string} */ type) => html`<code>${type}</code> `)}` : "Nothing is recorded: it is in that state already."}</li>
  <li>The circuit is then <${Badge} of=${plan.state} /></li><li>${plan.waiting} ${plan.waiting === 1 ? "order waits" : "orders wait"} at it now</li></ul></div>`;

/** @param {{circuit: any, changed: () => void}} props */
function Circuit({ circuit, changed }) {
  const [acting, act] = useState("");
  const history = useLoaded((signal) => get(`circuits/${circuit.dependency}`, { signal }), [circuit.dependency, circuit.state, circuit.since]);
  const closed = circuit.state === "closed";
  const kind = {
    title: acting === "open" ? `Hold the circuit of ${circuit.dependency} open` : `Close the circuit of ${circuit.dependency}`,
    path: `circuits/${circuit.dependency}/${acting}`, dry: true, preview: (/** @type {any} */ answer) => html`<${Plan} plan=${answer.plan} />`,
    body: (/** @type {any} */ v) => ({ reason: v.reason }),
    effect: acting === "open" ? "No call is made to this provider until somebody closes the circuit. Orders that need it wait; none is lost." : "Calls are made again at once, and the orders that wait continue in batches. It opens again by itself if calls fail.",
    show: (/** @type {any} */ answer) => html`<p>The circuit is <${Badge} of=${answer.circuit.state} /></p>`,
  };
  const transitions = [...(history.data?.transitions ?? [])].reverse();
  return html`<${Card} title=${circuit.dependency} note=${html`<${Badge} of=${circuit.state} />`}>
    <${Facts} rows=${[
      ["Since", circuit.since ? html`<${Ago} at=${circuit.since} />` : "it never opened"],
      ["Calls lately", circuit.calls ? `${circuit.failures} of ${circuit.calls} failed` : "none"],
      ["Last error of a probe", circuit.probe_error],
      ["Orders that wait for its answers", html`${(WAITS[circuit.dependency] ?? []).map((wait, i) => html`${i > 0 && ", "}<a href=${`orders?waiting_for=${wait}`}>${wait}</a>`)}`],
      ["Orders parked because of it", html`<a href=${`orders?dependency=${circuit.dependency}&parked=true`}>parked at this provider</a>`],
    ]} />
    ${may("set_circuit") && html`<div class="actions">${circuit.state !== "held_open" && html`<button type="button" onClick=${() => act("open")}>Hold open</button>`}${!closed && html`<button type="button" class="primary" onClick=${() => act("close")}>Close</button>`}</div>`}
    <h3 class="sub">The last week</h3>
    ${transitions.length ? html`<ol class="lines">${transitions.slice(0, 12).map((/** @type {any} */ t) => html`<li><span>${words(t.type.replace(/^Circuit/, "").replace(/([a-z])([A-Z])/g, "$1 $2").toLowerCase())}</span><span class="dim">${t.data.reason ?? t.data.last_error ?? ""} ${actorWords(t.actor)}</span><${Time} at=${t.at} /></li>`)}</ol>` : html`<p class="dim">No change.</p>`}
    ${acting && html`<${ActionDialog} kind=${kind} close=${() => act("")} done=${changed} />`}
  </${Card}>`;
}
