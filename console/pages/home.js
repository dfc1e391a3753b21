/** Where everything stands now; each number leads to what it counts. */

import { sums } from "../core/money.js";
import { clock, dateTime, duration } from "../core/time.js";
import { UNDER_WAY, WAITS } from "../core/values.js";
import { get, useLoaded } from "../kit/api.js";
import { useLive } from "../kit/live.js";
import { Amounts, AsOf, Badge, Card, CircuitState, Empty, Lasting, Trouble, words } from "../kit/parts.js";
import { address } from "../kit/router.js";
import { may, me } from "../kit/session.js";
import { settings } from "../kit/settings.js";
import { useStore } from "../kit/store.js";
import { classes, html, useEffect, useRef } from "../kit/view.js";

const REFRESH_MS = 1500;
const HOUR_MS = 3600_000;

export default function Home() {
  const stats = useLoaded((signal) => get("stats", { query: { bucket: "hour" }, signal }), []);
  const incidents = useLoaded(
    async (signal) => (may("read_incidents") ? get("incidents", { query: { limit: 5 }, signal }) : null),
    [],
  );
  const approvals = useLoaded(
    async (signal) =>
      may("list_approvals") ? get("approvals", { query: { by_others: true, limit: 100 }, signal }) : null,
    [],
  );
  const circuits = useLoaded(async (signal) => (may("read_incidents") ? get("circuits", { signal }) : null), []);
  const views = useLoaded(async (signal) => (may("read_views") ? get("views", { signal }) : null), []);
  const mine = useLoaded(
    async (signal) =>
      may("assign_incident") ? get("incidents", { query: { limit: 1, assignee: me.value?.id }, signal }) : null,
    [],
  );
  const waiting = useLoaded((signal) => get("orders", { query: { sort: "waiting_since", limit: 5 }, signal }), []);
  const overdue = useLoaded((signal) => get("orders", { query: { overdue: true, limit: 100 }, signal }), []);
  const every = [stats, incidents, mine, approvals, circuits, views, overdue, waiting];
  useRefresh(() => every.forEach((each) => each.reload()));

  const { zone } = useStore(settings);
  const groups = stats.data?.groups ?? [];
  const byStatus = total(groups.map((/** @type {any} */ g) => g.by_status));
  const stake = sums((incidents.data?.groups ?? []).flatMap((/** @type {any} */ g) => g.at_stake));
  const parked = ordersOf(incidents.data);
  const day = stats.data?.placed_from;
  const placed = (/** @type {string} */ status) => address("orders", { status, placed_from: day });
  const stopped = (circuits.data?.circuits ?? [])
    .filter((/** @type {any} */ c) => c.state !== "closed")
    .map((/** @type {any} */ c) => c.dependency);
  const lacking = new Set((views.data?.parked ?? []).map((/** @type {any} */ p) => p.stream)).size;
  return html`
    <div class="page-head">
      <h1>Now</h1>
      <span class="dim">
        orders placed in the last 24 hours${stats.data ? html`, <${AsOf} of=${stats.data.as_of} />` : ""}
      </span>
    </div>
    <${Trouble} problem=${stats.error} retry=${stats.reload} />
    <div class="tiles">
      <${Tile} label="Under way" value=${stats.data && sum(byStatus, UNDER_WAY)} to=${placed(UNDER_WAY.join(","))} />
      <${Tile}
        label="Overdue"
        value=${overdue.data?.orders.length}
        plus=${Boolean(overdue.data?.next)}
        to="orders?overdue=true"
        hot
      />
      ${incidents.data && html`<${Tile}
        label="Parked"
        value=${parked}
        to="incidents"
        hot
        note=${stake.length > 0 && html`<${Amounts} of=${stake} /> at stake`}
      />`}
      ${stopped.length > 0 && html`<${Tile}
        label=${stopped.length === 1 ? "Provider stopped" : "Providers stopped"}
        value=${stopped.length}
        to="circuits"
        hot
        note=${`no calls to ${stopped.join(", ")}`}
      />`}
      ${approvals.data && html`<${Tile}
        label="Approvals for you"
        value=${approvals.data.approvals.length}
        plus=${Boolean(approvals.data.next)}
        to="approvals"
        hot
      />`}
      ${lacking > 0 && html`<${Tile}
        label="Dead letters"
        value=${lacking}
        to="views"
        hot
        note="orders that a list leaves out"
      />`}
      <${Tile} label="Completed" value=${stats.data && (byStatus.completed ?? 0)} to=${placed("completed")} />
      <${Tile} label="Cancelled" value=${stats.data && (byStatus.cancelled ?? 0)} to=${placed("cancelled")} />
    </div>
    <div class="grid home-grid">
      <${Card} title="The day" note=${`orders placed by hour, ${zone}`}>
        <${Day} groups=${groups} zone=${zone} />
      </${Card}>
      <${Card} title="By state" note="now">
        ${groups.length
          ? html`<ul class="bars">
              ${Object.entries(byStatus).sort((a, b) => b[1] - a[1]).map(([status, count]) => html`<${Bar}
                status=${status}
                to=${placed(status)}
                count=${count}
                of=${Math.max(...Object.values(byStatus))}
              />`)}
            </ul>`
          : html`<${Empty}>${stats.data ? "No order was placed in the last 24 hours." : "Counting."}</${Empty}>`}
      </${Card}>
      ${circuits.data && html`<${Card} title="Providers" note=${html`<a href="circuits">circuits</a>`}>
        <ul class="lines">
          ${circuits.data.circuits.map((/** @type {any} */ c) => html`<li>
            ${c.state === "closed"
              ? html`<a href="circuits">${c.dependency}</a>`
              : html`<a href="circuits">${c.dependency}: calls are stopped</a>`}
            <span class="dim">
              ${c.calls ? `${c.failures} of ${c.calls} calls failed` : c.state === "closed" && "no calls lately"}
            </span>
            <${CircuitState} state=${c.state} />
          </li>`)}
        </ul>
      </${Card}>`}
      ${incidents.data && html`<${Card} title="Incidents" note=${html`<a href="incidents">all</a>`}>
        ${incidents.data.groups.length
          ? html`<ul class="lines causes">
              ${incidents.data.groups.slice(0, 6).map((/** @type {any} */ g) => html`<li>
                <a href=${address("incidents", { cause: g.cause })}>
                  ${g.error}
                  ${g.dependency && html`<wbr />@${g.dependency}`}
                </a>
                <span class="dim"><${Amounts} of=${g.at_stake} /></span>
                <strong>${g.orders}</strong>
              </li>`)}
            </ul>`
          : html`<${Empty}>No order is parked.</${Empty}>`}
        ${ordersOf(mine.data) > 0 && html`<p class="space-above">
          <a href="incidents?by=me">Taken on by you</a>: <strong>${ordersOf(mine.data)}</strong>
        </p>`}
      </${Card}>`}
      <${Card} title="Waiting longest" note=${html`<a href="orders?sort=waiting_since">all</a>`}>
        ${waiting.data?.orders.length
          ? html`<ul class="lines">
              ${waiting.data.orders.map((/** @type {any} */ o) => html`<${Waiting} order=${o} />`)}
            </ul>`
          : html`<${Empty}>${waiting.data ? "No order waits." : "Looking."}</${Empty}>`}
      </${Card}>
      ${views.data && html`<${Card} title="Lists behind the log" note=${html`<a href="views">views</a>`}>
        <ul class="lines">
          <li>
            <span>Behind by</span>
            <span></span>
            <strong>${views.data.lag_s === null ? "unknown" : duration(views.data.lag_s * 1000)}</strong>
          </li>
          <li>
            <span>Changes not in the lists yet</span>
            <span></span>
            <strong>${views.data.lag_commits ?? "unknown"}</strong>
          </li>
          <li>
            <a href="views">Orders that a list lacks</a>
            <span></span>
            <strong class=${lacking ? "attention" : ""}>${lacking}</strong>
          </li>
        </ul>
      </${Card}>`}
    </div>
  `;
}

/** Load again after orders changed, once in a while and not for each change. @param {() => void} reload */
function useRefresh(reload) {
  const timer = useRef(/** @type {any} */ (null));
  const soon = () => void (timer.current ??= setTimeout(() => ((timer.current = null), reload()), REFRESH_MS));
  useLive(may("list_events") ? "orders" : null, soon, { begun: soon });
  useEffect(() => () => clearTimeout(timer.current), []);
}

/** @param {Record<string, number>[]} counts */
function total(counts) {
  /** @type {Record<string, number>} */
  const all = {};
  for (const each of counts) for (const [name, count] of Object.entries(each)) all[name] = (all[name] ?? 0) + count;
  return all;
}

/** How many orders a list of incidents has. @param {any} incidents */
const ordersOf = (incidents) =>
  (incidents?.groups ?? []).reduce((/** @type {number} */ n, /** @type {any} */ g) => n + g.orders, 0);

/** @param {{order: any}} props */
function Waiting({ order }) {
  const wait = order.waiting[0];
  return html`<li>
    <a href=${`orders/${order.id}`}><code>${order.id.slice(4, 14)}</code></a>
    <span>${order.incident ? html`<${Badge} of="parked" />` : (WAITS[wait?.what] ?? words(wait?.what ?? ""))}</span>
    <span class=${classes("dim", wait?.overdue && "attention")}>
      <${Lasting} from=${order.incident?.since ?? wait?.since ?? order.changed_at} />
    </span>
  </li>`;
}

/** @param {Record<string, number>} counts @param {string[]} names */
const sum = (counts, names) => names.reduce((all, name) => all + (counts[name] ?? 0), 0);

/**
 * A number that is not read yet is no zero.
 * @param {{label: string, value: number | undefined, to: string, hot?: boolean, plus?: boolean, note?: any}} props
 */
const Tile = ({ label, value, to, hot, plus, note }) => html`<a
  class="tile"
  href=${to}
  data-hot=${hot && value ? "" : undefined}
>
  <strong>${value ?? "…"}${plus ? "+" : ""}</strong>
  <span>${label}</span>
  ${note && html`<small>${note}</small>`}
</a>`;

/** @param {{status: string, to: string, count: number, of: number}} props */
const Bar = ({ status, to, count, of }) => html`<li>
  <a href=${to}>${words(status)}</a>
  <span class="bar"><span style=${{ width: `${(100 * count) / of}%` }}></span></span>
  <strong>${count}</strong>
</li>`;

/** A bar for each of the last 24 hours. @param {{groups: any[], zone: string}} props */
function Day({ groups, zone }) {
  const byHour = Object.fromEntries(groups.map((g) => [g.bucket, g]));
  const hours = Array.from({ length: 24 }, (_, back) =>
    new Date(Date.now() - (23 - back) * HOUR_MS).toISOString().slice(0, 13),
  );
  const most = Math.max(1, ...groups.map((g) => g.orders));
  const all = groups.reduce((n, g) => n + g.orders, 0);
  return html`<figure class="day">
    <svg
      viewBox="0 0 480 130"
      role="group"
      aria-label=${`${all} orders in the last 24 hours, at most ${most} in one hour`}
    >
      ${hours.map((hour, index) => {
        const group = byHour[hour];
        const height = group ? Math.max(2, (100 * group.orders) / most) : 0;
        const bad = group ? (height * ((group.by_status.cancelled ?? 0) + group.parked)) / group.orders : 0;
        const orders = `${group?.orders ?? 0} ${group?.orders === 1 ? "order" : "orders"}`;
        const name = `${dateTime(`${hour}:00:00Z`, zone).slice(0, 16)} ${zone}: ${orders}`;
        const link =
          group &&
          address("orders", {
            placed_from: `${hour}:00:00Z`,
            placed_to: new Date(Date.parse(`${hour}:00:00Z`) + HOUR_MS).toISOString(),
          });
        return html`
          <a href=${link || undefined} aria-label=${link ? name : undefined}>
            <title>${name}</title>
            <rect class="track" x=${index * 20 + 2} y="6" width="16" height="100" rx="3" />
            <rect class="fill" x=${index * 20 + 2} y=${106 - height} width="16" height=${height} rx="3" />
            <rect class="lost" x=${index * 20 + 2} y=${106 - bad} width="16" height=${bad} rx="3" />
          </a>
          ${index % 4 === 3 && html`<text x=${index * 20 + 10} y="124" text-anchor="middle">
            ${clock(`${hour}:00:00Z`, zone, false)}
          </text>`}
        `;
      })}
    </svg>
    <figcaption class="dim">
      <span class="key fill"></span>placed <span class="key lost"></span>of these cancelled or parked
    </figcaption>
  </figure>`;
}
