/** Webhook endpoints, what was sent to them, each attempt with its code, and sending again. */

import { isUndelivered } from "../core/deliveries.js";
import { get, post, useLoaded } from "../kit/api.js";
import { useAtTop } from "../kit/at_top.js";
import { usePaged } from "../kit/paged.js";
import { ActionDialog } from "../kit/action.js";
import { About, Attempts, Standing, resending } from "../kit/deliveries.js";
import { Badge, Card, Choice, Countdown, Empty, Facts, Said, Time, Trouble } from "../kit/parts.js";
import { setQuery } from "../kit/router.js";
import { may } from "../kit/session.js";
import { Table } from "../kit/table.js";
import { html, useEffect, useState } from "../kit/view.js";

const EVERY_MS = 5000;
const PAGE = 100;
/**
 * Deliveries that are searched at once for those that failed: of pending ones the API does not tell those that are
 * tried again from those that were not sent yet.
 */
const SEARCHED = 1000;

const TONES = /** @type {Record<string, string>} */ ({ enabled: "closed", disabled: "cancelled", paused: "parked" });

/** @param {{query: Record<string, string>}} props */
export default function Webhooks({ query }) {
  const list = useLoaded((signal) => get("webhooks", { signal }), []);
  const endpoints = list.data?.webhooks ?? [];
  const chosen = endpoints.find((/** @type {any} */ each) => each.id === query.endpoint) ?? endpoints[0];
  return html`
    <div class="page-head"><h1>Webhooks</h1></div>
    <${Trouble} problem=${list.error} retry=${list.reload} />
    ${list.data && !chosen && html`<${Empty}>
      No service has registered an endpoint. expediter webhooks add does it.
    </${Empty}>`}
    ${chosen && html`
      ${endpoints.length > 1 && html`<div class="filters endpoints">
        <${Choice}
          label="Endpoint"
          value=${chosen.id}
          options=${endpoints.map((/** @type {any} */ each) => [each.id, `${each.url} (${each.status})`])}
          choose=${(/** @type {string} */ endpoint) => setQuery({ endpoint })}
        />
      </div>`}
      <div class="stack">
        <${Endpoint} endpoint=${chosen} changed=${list.reload} />
        <${Deliveries} key=${chosen.id} endpoint=${chosen} query=${query} />
      </div>
    `}
  `;
}

/** @param {{endpoint: any, changed: () => void}} props */
function Endpoint({ endpoint, changed }) {
  const [tried, show] = useState(/** @type {any} */ (null));
  const test = () =>
    post(`webhooks/${endpoint.id}/test`, undefined)
      .then(
        (delivery) => show({ delivery }),
        (problem) => show({ problem }),
      )
      .then(changed);
  return html`<${Card}
    class="endpoint"
    title=${html`<${Said}>${endpoint.url}</${Said}>`}
    note=${html`<${Badge} of=${TONES[endpoint.status]} label=${endpoint.status} />`}
  >
    <${Facts} rows=${[
      ["Owner", endpoint.owner],
      ["Types", endpoint.types.join(", ") || "all"],
      ["Registered", html`<${Time} at=${endpoint.created_at} />`],
      ["Failing since", endpoint.failing_since && html`<${Time} at=${endpoint.failing_since} />`],
      ["Paused because", endpoint.paused_because],
      [
        "Old secret signs until",
        endpoint.previous_secret_until && html`<${Time} at=${endpoint.previous_secret_until} />`,
      ],
    ]} />
    ${may("manage_webhooks") && html`<div class="actions">
      <button type="button" onClick=${test}>Send a test event</button>
      ${tried?.delivery && html`<span role="status"><${Attempts} of=${tried.delivery.attempts} /></span>`}
    </div>`}
    <${Trouble} problem=${tried?.problem} />
  </${Card}>`;
}

/** @param {{endpoint: any, query: Record<string, string>}} props */
function Deliveries({ endpoint, query }) {
  const undelivered = query.undelivered === "true";
  const list = usePaged(`webhooks/${endpoint.id}/deliveries`, "deliveries", { limit: PAGE });
  const [searched, search] = useState(SEARCHED);
  const atTop = useAtTop();
  useEffect(() => {
    if (!atTop || (undelivered && list.rows.length > PAGE)) return; // it would begin with the newest again
    const timer = setInterval(list.reload, EVERY_MS);
    return () => clearInterval(timer);
  }, [atTop, undelivered, list.rows.length > PAGE]);
  const rows = undelivered ? list.rows.filter(isUndelivered) : list.rows;
  const most = undelivered && list.rows.length >= searched;
  const [acting, act] = useState(/** @type {import("../kit/action.js").ActionKind | null} */ (null));
  const columns = [
    { label: "Event", wide: true, cell: (/** @type {any} */ d) => html`<${About} of=${d} />` },
    {
      label: "Order",
      cell: (/** @type {any} */ d) =>
        d.event.startsWith("ord_") && html`<a href=${`orders/${d.event.split("/")[0]}?at=${d.event.split("/")[1]}`}>
          <code>${d.event.slice(4, 12)}</code>
        </a>`,
    },
    { label: "When", late: true, cell: (/** @type {any} */ d) => html`<${Time} at=${d.recorded_at} />` },
    { label: "Attempts", late: true, cell: (/** @type {any} */ d) => html`<${Attempts} of=${d.attempts} />` },
    { label: "Status", cell: (/** @type {any} */ d) => html`<${Standing} of=${d} />` },
    {
      label: "Next",
      late: true,
      cell: (/** @type {any} */ d) => d.next_try && html`<${Countdown} until=${d.next_try} />`,
    },
    {
      label: html`<span class="visually-hidden">Actions</span>`,
      align: /** @type {"end"} */ ("end"),
      cell: (/** @type {any} */ d) =>
        may("resend_webhooks") && html`<button type="button" onClick=${() => act(resending([d], [endpoint]))}>
          Send again
        </button>`,
    },
  ];
  return html`
    <div class="filters">
      <button
        type="button"
        aria-pressed=${undelivered}
        onClick=${() => setQuery({ undelivered: undelivered ? "" : "true" })}
      >
        Not delivered
      </button>
    </div>
    <${Trouble} problem=${list.problem} retry=${list.reload} />
    <${Table}
      label="Deliveries"
      columns=${columns}
      rows=${rows}
      id=${(/** @type {any} */ d) => d.id}
      more=${most ? undefined : list.more}
      empty=${!list.loading && (most || !list.more) && html`<${Empty}>
        ${list.rows.length ? "None of these failed." : "Nothing was sent yet."}
      </${Empty}>`}
    />
    ${most && list.more && html`<p class="sub">
      Among the newest ${list.rows.length.toLocaleString()} deliveries.${" "}
      <button type="button" class="link" onClick=${() => search(searched + SEARCHED)}>Search further</button>
    </p>`}
    ${acting && html`<${ActionDialog} kind=${acting} close=${() => act(null)} done=${list.reload} />`}
  `;
}
