/**
 * The views that lists are read from: how far they are behind the log, and the streams that they lack, each with a
 * retry.
 */

import { duration } from "../core/time.js";
import { ActionDialog } from "../kit/action.js";
import { get, useLoaded } from "../kit/api.js";
import { Ago, Badge, Card, Time, Trouble } from "../kit/parts.js";
import { may } from "../kit/session.js";
import { Table } from "../kit/table.js";
import { html, useEffect, useState } from "../kit/view.js";

const EVERY_MS = 3000;

export default function Views() {
  const read = useLoaded((signal) => get("views", { signal }), []);
  const [stream, retry] = useState("");
  useEffect(() => {
    const timer = setInterval(read.reload, EVERY_MS);
    return () => clearInterval(timer);
  }, []);
  const views = read.data;
  return html`
    <div class="page-head">
      <h1>Views and dead letters</h1>
      ${views && html`<span class="dim">
        ${lag(views)}
        ${views.recorded_at && html`, newest <${Ago} at=${views.recorded_at} />`}
      </span>`}
    </div>
    <${Trouble} problem=${read.error} retry=${read.reload} />
    ${views && html`<div class="stack">
      ${views.parked.length > 0 && html`<${DeadLetters} parked=${views.parked} retry=${retry} />`}
      <${Table} label="Views" columns=${COLUMNS} rows=${views.views} id=${(/** @type {any} */ v) => v.name} />
      ${!views.parked.length && html`<p class="verified">✓ No dead letter: every stream is in every view.</p>`}
      <p class="dim">
        On the command line: <code>expediter views rebuild NAME</code> builds a view anew beside the old
        one; <code>expediter failed-batches</code> shows messages of AWS queues that were set aside.
      </p>
    </div>`}
    ${stream && html`<${ActionDialog}
      key=${stream}
      kind=${retryKind(stream)}
      close=${() => retry("")}
      done=${read.reload}
    />`}
  `;
}

/** @param {{parked: any[], retry: (stream: string) => void}} props */
const DeadLetters = ({ parked, retry }) => html`<${Card}
  title="Dead letters"
  note="tried again when the stream changes, once a day, and here"
  flush
>
  <p class="inset">
    Streams whose rows could not be computed. No order is held up by this: the engine works from the log, and an order's
    own page is read from it. The views that are named here have no row of the stream, or one that is too old, so lists,
    searches and totals leave it out.
  </p>
  <${Table}
    label="Streams that could not be projected"
    columns=${parkedColumns(retry)}
    rows=${byStream(parked)}
    id=${(/** @type {any} */ p) => p.stream}
  />
</${Card}>`;

/** @param {any} views */
const lag = (views) =>
  views.lag_commits === null
    ? "lag unknown"
    : views.lag_commits === 0
      ? "up to date with the log"
      : `${views.lag_commits} ${views.lag_commits === 1 ? "commit" : "commits"} behind the log` +
        (views.lag_s ? `, the oldest is ${duration(views.lag_s * 1000)} old` : "");

/** One row a stream: the views that lack it, its errors, and since when. @param {any[]} parked */
const byStream = (parked) =>
  [...new Set(parked.map(({ stream }) => stream))].map((stream) => {
    const all = parked.filter((each) => each.stream === stream);
    return {
      stream,
      views: all.map(({ view }) => view).join(", "),
      errors: [...new Set(all.map(({ error }) => error))].join(", "),
      since: all.map(({ since }) => since).sort()[0],
    };
  });

/** @param {string} stream @returns {import("../kit/action.js").ActionKind} */
const retryKind = (stream) => ({
  title: "Try again",
  effect: html`<code>${stream}</code>`,
  path: "views/retry",
  reason: null,
  dry: true,
  body: () => ({ stream }),
  preview: (answer) => html`<${Retried} answer=${answer} />`,
  show: (answer) => html`<${Retried} answer=${answer} />`,
});

/** What became of the stream in each view, or would. @param {{answer: any}} props */
function Retried({ answer }) {
  if (!answer.views.length) return html`<p>The stream is in every view by now.</p>`;
  const fails = answer.views.some((/** @type {any} */ each) => each.error);
  const stored = answer.dry_run ? "its rows can be computed, and would be stored" : "stored";
  return html`<div class="preview">
    <h3>${answer.dry_run ? "What happens" : "What happened"}</h3>
    <ul>
      ${answer.views.map((/** @type {any} */ each) => html`<li>
        <strong>${each.view}</strong>: ${each.error ? html`still lacks it, <code>${each.error}</code>` : stored}
      </li>`)}
    </ul>
    ${fails && html`<p>
      Trying again does not help while the error is there. <a href="audit">Verify the log</a>: if it is intact, the view
      has a fault, which a release has to mend; the rows are then stored without a person. Report the stream and the
      error.
    </p>`}
  </div>`;
}

const COLUMNS = [
  { label: "View", wide: true, cell: (/** @type {any} */ v) => v.name },
  { label: "Version", late: true, align: /** @type {"end"} */ ("end"), cell: (/** @type {any} */ v) => v.version },
  {
    label: "Rows",
    late: true,
    align: /** @type {"end"} */ ("end"),
    cell: (/** @type {any} */ v) => v.rows.toLocaleString(),
  },
  {
    label: "State",
    cell: (/** @type {any} */ v) =>
      v.building !== null
        ? html`<${Badge} of="running" label=${`building, ${Math.round(v.building * 100)} %`} />`
        : v.outdated
          ? html`<${Badge} of="stopped" label="outdated" />`
          : html`<${Badge} of="closed" label="current" />`,
  },
  { label: "Dead letters", align: /** @type {"end"} */ ("end"), cell: (/** @type {any} */ v) => v.parked },
];

/** @param {(stream: string) => void} retry */
const parkedColumns = (retry) => [
  {
    label: "Stream",
    wide: true,
    cell: (/** @type {any} */ p) =>
      p.stream.startsWith("order#")
        ? html`<a href=${`orders/${p.stream.slice(6)}`} data-row><code>${p.stream}</code></a>`
        : html`<code>${p.stream}</code>`,
  },
  { label: "Lacking in", late: true, cell: (/** @type {any} */ p) => p.views },
  { label: "Error", cell: (/** @type {any} */ p) => html`<code>${p.errors}</code>` },
  { label: "Since", late: true, cell: (/** @type {any} */ p) => html`<${Time} at=${p.since} />` },
  {
    label: "Actions",
    align: /** @type {"end"} */ ("end"),
    cell: (/** @type {any} */ p) =>
      may("retry_views") && html`<button
        type="button"
        aria-label=${`Try again: ${p.stream}`}
        onClick=${() => retry(p.stream)}
      >
        Try again
      </button>`,
  },
];
