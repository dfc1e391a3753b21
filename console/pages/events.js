/**
 * The log of all orders, live: filters in the address, a pause, and a count of what came meanwhile. Below its top it
 * holds still too.
 */

import { countFitting } from "../core/events.js";
import { exact } from "../core/time.js";
import { useAtTop } from "../kit/at_top.js";
import { Days } from "../kit/days.js";
import { Icon } from "../kit/icons.js";
import { useKeys } from "../kit/keys.js";
import { useLive } from "../kit/live.js";
import { usePaged } from "../kit/paged.js";
import { Choice, Copy, Empty, Facts, RECORDERS, Said, Time, Trouble, actorWords } from "../kit/parts.js";
import { address, setQuery } from "../kit/router.js";
import { may } from "../kit/session.js";
import { Table } from "../kit/table.js";
import { TextFilter } from "../kit/text_filter.js";
import { Dialog } from "../kit/dialog.js";
import { html, useEffect, useRef, useState } from "../kit/view.js";

const GATHER_MS = 250;

/** @param {{query: Record<string, string>}} props */
export default function Events({ query }) {
  const [paused, pause] = useState(false);
  const [waiting, count] = useState(0);
  const [chosen, choose] = useState(/** @type {any} */ (null));
  const timer = useRef(/** @type {any} */ (null));
  const atTop = useAtTop();
  const held = paused || !atTop;
  const list = usePaged("events", "events", query, undefined, held);
  const holds = useRef(held);
  holds.current = held;
  const read = () => (count(0), list.reload());
  const toggle = () => (paused && read(), pause(!paused));
  useKeys({ p: toggle });
  useLive("orders", (message) => {
    const fitting = countFitting(message, query);
    if (!fitting) return;
    count((n) => n + fitting);
    timer.current ??= setTimeout(() => ((timer.current = null), holds.current || read()), GATHER_MS);
  }, { begun: () => holds.current || list.reload() });
  useEffect(() => () => clearTimeout(timer.current), []);
  useEffect(() => void (!held && waiting && read()), [held]); // back at the top
  const toTop = () => (read(), scrollTo({ top: 0 }));
  const text = (/** @type {string} */ name, /** @type {string} */ label) =>
    html`<${TextFilter} query=${query} name=${name} label=${label} />`;
  return html`
    <div class="page-head">
      <h1>Event log</h1>
      <div class="actions">
        ${may("query") && html`<a class="button" href="audit/query">SQL</a>`}
        ${may("export") && html`<a class="button" href=${address("audit/exports", query)}>Export these</a>`}
        <button type="button" aria-pressed=${paused} onClick=${toggle}>
          <${Icon} name=${paused ? "play" : "pause"} />
          ${paused ? `Resume${waiting ? `, ${waiting} new` : ""}` : "Pause"}
        </button>
      </div>
    </div>
    <div class="filters" role="group" aria-label="Filters">
      ${text("type", "Types, with commas")} ${text("order", "Order")} ${text("customer", "Customer")}${" "}
      ${text("restaurant", "Restaurant")} ${text("correlation", "Trace")}${" "}
      <${Days} query=${query} from="recorded_from" to="recorded_to" />
      <${Choice}
        label="Recorded by"
        value=${query.actor_role ?? ""}
        options=${RECORDERS}
        choose=${(/** @type {string} */ role) => setQuery({ actor_role: role })}
      />
      <button
        type="button"
        aria-pressed=${query.people_only === "true"}
        onClick=${() => setQuery({ people_only: query.people_only ? "" : "true" })}
      >
        People only
      </button>
      ${Object.keys(query).length > 0 && html`<a href="events">Clear</a>`}
    </div>
    <${Trouble} problem=${list.problem} retry=${list.reload} />
    ${!paused && !atTop && waiting > 0 && html`<p class="newer" role="status">
      <button type="button" class="primary" onClick=${toTop}>${waiting} new: to the top</button>
    </p>`}
    ${list.loading && !list.rows.length && html`<p class="empty" aria-busy="true">Reading the log.</p>`}
    <${Table}
      label="Events"
      columns=${columns(choose)}
      rows=${list.rows}
      id=${(/** @type {any} */ e) => `${e.order_id}:${e.version}`}
      more=${list.more}
      empty=${!list.loading && !list.problem && html`<${Empty}>
        No event matches. <a href="events">Show all</a>
      </${Empty}>`}
    />
    ${chosen && html`<${Recorded} event=${chosen} close=${() => choose(null)} />`}
  `;
}

/** One event: whose it is, and all of it as JSON. @param {{event: any, close: () => void}} props */
const Recorded = ({ event, close }) => html`<${Dialog} title=${event.type} close=${close} wide>
  <div class="dialog-body">
    <${Facts} rows=${[
      [
        "Order",
        html`<a href=${`orders/${event.order_id}?at=${event.version}`}>
          event ${event.version} of <code>${event.order_id}</code>
        </a>`,
      ],
      ["When", html`<${Time} at=${event.recorded_at} />`],
      ["In UTC", html`<span class="mono">${exact(event.recorded_at)}</span>`],
      ["By", html`<${Said}>${actorWords(event.actor)}</${Said}>`],
      [
        "Trace",
        event.correlation && html`<a href=${address("events", { correlation: event.correlation })} onClick=${close}>
          all events of it
        </a>`,
      ],
      ["Hash", event.hash && html`<${Copy} text=${event.hash} short=${20} />`],
    ]} />
    <pre tabindex="0">${JSON.stringify(event, null, 2)}</pre>
  </div>
</${Dialog}>`;

/** Let a type be broken between its words, on a phone. @param {string} type */
const breakable = (type) => type.split(/(?=[A-Z])/).map((word) => html`${word}<wbr />`);

/** @param {(event: any) => void} choose */
const columns = (choose) => [
  { label: "When", cell: (/** @type {any} */ e) => html`<${Time} at=${e.recorded_at} />` },
  {
    label: "Event",
    cell: (/** @type {any} */ e) => html`<button type="button" class="link" data-row onClick=${() => choose(e)}>
      ${breakable(e.type)}
    </button>`,
  },
  {
    label: "Order",
    cell: (/** @type {any} */ e) => html`<a href=${`orders/${e.order_id}?at=${e.version}`}>
      <code>${e.order_id.slice(4, 14)}</code> <span class="dim">#${e.version}</span>
    </a>`,
  },
  { label: "By", late: true, cell: (/** @type {any} */ e) => html`<${Said}>${actorWords(e.actor)}</${Said}>` },
  {
    label: "Restaurant",
    late: true,
    cell: (/** @type {any} */ e) => e.restaurant && html`<${Said}>${e.restaurant}</${Said}>`,
  },
  {
    label: "Data",
    wide: true,
    late: true,
    cell: (/** @type {any} */ e) => html`<code class="dim">${JSON.stringify(e.data)}</code>`,
  },
];
