/** The log of all orders, live: filters in the address, a pause, and a count of what came meanwhile. */

import { Days } from "../kit/days.js";
import { Icon } from "../kit/icons.js";
import { useKeys } from "../kit/keys.js";
import { useLive } from "../kit/live.js";
import { usePaged } from "../kit/paged.js";
import { Choice, Empty, Said, Time, Trouble, actorWords } from "../kit/parts.js";
import { setQuery } from "../kit/router.js";
import { Table } from "../kit/table.js";
import { Dialog } from "../kit/dialog.js";
import { html, useEffect, useRef, useState } from "../kit/view.js";

const ROLES = ["customer", "restaurant", "courier", "support", "auditor", "service", "system"];
const GATHER_MS = 250;

/** @param {{query: Record<string, string>}} props */
export default function Events({ query }) {
  const list = usePaged("events", "events", query);
  const [paused, pause] = useState(false);
  const [waiting, count] = useState(0);
  const [chosen, choose] = useState(/** @type {any} */ (null));
  const timer = useRef(/** @type {any} */ (null));
  const toggle = () => (paused && list.reload(), count(0), pause(!paused));
  useKeys({ p: toggle });
  useLive("orders", (message) => {
    count((n) => n + (message.events?.length ?? 0));
    if (!paused) timer.current ??= setTimeout(() => ((timer.current = null), count(0), list.reload()), GATHER_MS);
  });
  useEffect(() => () => clearTimeout(timer.current), []);
  const text = (/** @type {string} */ name, /** @type {string} */ label) =>
    html`<label class="field"><span>${label}</span><input type="text" value=${query[name] ?? ""} onChange=${(/** @type {any} */ e) => setQuery({ [name]: e.target.value.trim() })} /></label>`;
  return html`
    <div class="page-head"><h1>Event log</h1><div class="actions">
      <button type="button" aria-pressed=${paused} onClick=${toggle}><${Icon} name=${paused ? "play" : "pause"} />${paused ? `Resume${waiting ? `, ${waiting} new` : ""}` : "Pause"}</button></div></div>
    <div class="filters" role="group" aria-label="Filters">
      ${text("type", "Types, with commas")} ${text("order", "Order")} ${text("customer", "Customer")} ${text("restaurant", "Restaurant")} ${text("correlation", "Trace")} <${Days} query=${query} from="recorded_from" to="recorded_to" />
      <${Choice} label="Recorded by" value=${query.actor_role ?? ""} options=${[["", "anybody"], ...ROLES.map((role) => [role, role === "system" ? "the engine" : role])]} choose=${(/** @type {string} */ role) => setQuery({ actor_role: role })} />
      <button type="button" aria-pressed=${query.people_only === "true"} onClick=${() => setQuery({ people_only: query.people_only ? "" : "true" })}>People only</button>
      ${Object.keys(query).length > 0 && html`<a href="events">Clear</a>`}
    </div>
    <${Trouble} problem=${list.problem} retry=${list.reload} />
    <${Table} label="Events" columns=${columns(choose)} rows=${list.rows} id=${(/** @type {any} */ e) => `${e.order_id}:${e.version}`} more=${list.more}
      empty=${!list.loading && !list.problem && html`<${Empty}>No event matches. <a href="events">Show all</a></${Empty}>`} />
    ${chosen && html`<${Dialog} title=${chosen.type} close=${() => choose(null)} wide><div class="dialog-body"><pre tabindex="0">${JSON.stringify(chosen, null, 2)}</pre></div></${Dialog}>`}`;
}

/** @param {(event: any) => void} choose */
const columns = (choose) => [
  { label: "When", cell: (/** @type {any} */ e) => html`<${Time} at=${e.recorded_at} />` },
  { label: "Event", cell: (/** @type {any} */ e) => html`<button type="button" class="link" data-row onClick=${() => choose(e)}>${e.type}</button>` },
  { label: "Order", cell: (/** @type {any} */ e) => html`<a href=${`orders/${e.order_id}?at=${e.version}`}><code>${e.order_id.slice(4, 14)}</code> <span class="dim">#${e.version}</span></a>` },
  { label: "By", late: true, cell: (/** @type {any} */ e) => html`<${Said}>${actorWords(e.actor)}</${Said}>` },
  { label: "Restaurant", late: true, cell: (/** @type {any} */ e) => e.restaurant && html`<${Said}>${e.restaurant}</${Said}>` },
  { label: "Data", wide: true, late: true, cell: (/** @type {any} */ e) => html`<code class="dim">${JSON.stringify(e.data)}</code>` },
];
