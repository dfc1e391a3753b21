/** The views that lists are read from: how far they are behind the log, and what could not be projected. */

import { duration } from "../core/time.js";
import { get, useLoaded } from "../kit/api.js";
import { Ago, Badge, Card, Empty, Time, Trouble } from "../kit/parts.js";
import { Table } from "../kit/table.js";
import { html, useEffect } from "../kit/view.js";

const EVERY_MS = 3000;

export default function Views() {
  const read = useLoaded((signal) => get("views", { signal }), []);
  useEffect(() => {
    const timer = setInterval(read.reload, EVERY_MS);
    return () => clearInterval(timer);
  }, []);
  const views = read.data;
  return html`<div class="page-head"><h1>Views</h1>${views && html`<span class="dim">${views.lag_commits === null ? "lag unknown" : `${views.lag_commits} commits behind the log`}${views.lag_s ? `, the oldest for ${duration(views.lag_s * 1000)}` : ""}, newest <${Ago} at=${views.recorded_at} /></span>`}</div>
    <${Trouble} problem=${read.error} retry=${read.reload} />
    ${views && html`<${Table} label="Views" columns=${COLUMNS} rows=${views.views} id=${(/** @type {any} */ v) => v.name} />
      <div class="stack space-above"><${Card} title="Not projected" note="tried again on the next commit of the stream, and by a rebuild" flush>${views.parked.length ? html`<${Table} label="Streams that could not be projected" columns=${PARKED} rows=${views.parked} id=${(/** @type {any} */ p) => `${p.view}:${p.stream}`} />` : html`<${Empty}>Every stream is in every view.</${Empty}>`}</${Card}>
      <p class="dim">expediter views rebuild NAME builds a view anew beside the old one; expediter failed-batches shows messages that were set aside.</p></div>`}`;
}

const COLUMNS = [
  { label: "View", wide: true, cell: (/** @type {any} */ v) => v.name },
  { label: "Version", align: /** @type {"end"} */ ("end"), cell: (/** @type {any} */ v) => v.version },
  { label: "Rows", align: /** @type {"end"} */ ("end"), cell: (/** @type {any} */ v) => v.rows.toLocaleString() },
  { label: "State", cell: (/** @type {any} */ v) => (v.building !== null ? html`<${Badge} of="running" label=${`building, ${Math.round(v.building * 100)} %`} />` : v.outdated ? html`<${Badge} of="stopped" label="outdated" />` : html`<${Badge} of="closed" label="current" />`) },
  { label: "Not projected", align: /** @type {"end"} */ ("end"), cell: (/** @type {any} */ v) => v.parked },
];
const PARKED = [
  { label: "View", cell: (/** @type {any} */ p) => p.view },
  { label: "Stream", cell: (/** @type {any} */ p) => html`<code>${p.stream}</code>` },
  { label: "Error", wide: true, cell: (/** @type {any} */ p) => p.error },
  { label: "Since", cell: (/** @type {any} */ p) => html`<${Time} at=${p.since} />` },
];
