/**
 * SQL of auditors over the views. A query is sent when its author presses Run, never by opening a link: it is recorded.
 */

import { post, useLoaded } from "../../kit/api.js";
import { Dialog } from "../../kit/dialog.js";
import { download } from "../../kit/download.js";
import { AsOf, Empty, Trouble } from "../../kit/parts.js";
import { setQuery } from "../../kit/router.js";
import { Table } from "../../kit/table.js";
import { html, useState } from "../../kit/view.js";

const RELATIONS = ["events", "orders", "ledger", "taxes", "accesses"];
const FIRST = "SELECT type, count(*) AS events FROM events GROUP BY type ORDER BY events DESC";
const LIMITS = ["20", "100", "1000"];

/** @param {{query: Record<string, string>}} props */
export function Query({ query }) {
  const [sql, write] = useState(query.sql ?? FIRST);
  const [asOf, choose] = useState(query.as_of ?? "");
  const [limit, most] = useState(query.limit ?? "100");
  const [sent, send] = useState(/** @type {any} */ (null));
  const result = useLoaded(
    async (signal) => (sent ? post("audit/query", sent, { key: undefined, signal }) : null),
    [sent],
  );
  const run = (/** @type {Event} */ event) => {
    event.preventDefault();
    setQuery({ sql, as_of: asOf, limit: limit === "100" ? "" : limit });
    send({ sql, limit: Number(limit), ...(asOf ? { as_of: asOf } : {}) });
  };
  const keys = (/** @type {KeyboardEvent} */ event) =>
    event.key === "Enter" && (event.ctrlKey || event.metaKey) && run(event);
  return html`
    <form class="query" onSubmit=${run}>
      <label class="field">
        <span>One SELECT over ${RELATIONS.join(", ")}</span>
        <textarea
          class="mono"
          rows="5"
          required
          spellcheck=${false}
          value=${sql}
          onInput=${(/** @type {any} */ e) => write(e.target.value)}
          onKeyDown=${keys}
        ></textarea>
      </label>
      <div class="filters">
        <label class="field">
          <span>Recorded by then (RFC 3339)</span>
          <input
            type="text"
            placeholder="now"
            value=${asOf}
            onInput=${(/** @type {any} */ e) => choose(e.target.value.trim())}
          />
        </label>
        <label class="field">
          <span>Rows, at most</span>
          <select value=${limit} onChange=${(/** @type {any} */ e) => most(e.target.value)}>
            ${LIMITS.map((each) => html`<option value=${each} selected=${each === limit}>${each}</option>`)}
          </select>
        </label>
        <button type="submit" class="primary" disabled=${result.loading && sent}>
          ${result.loading && sent ? "Running" : "Run"}
        </button>
        ${RELATIONS.map((name) => html`<button
          type="button"
          class="quiet"
          aria-label=${`Write a query of all columns of ${name}`}
          onClick=${() => write(`SELECT * FROM ${name}`)}
        >
          ${name}
        </button>`)}
      </div>
    </form>
    <p class="dim">
      A query only reads, reaches no personal data, and is recorded under your name before it runs. It has 10 seconds,
      1,000 rows and 1 MB; two run at a time. Money is in minor units. Ctrl and Enter run it.
    </p>
    <${Trouble} problem=${result.error} />
    ${result.data && !result.error && html`<${Result} result=${result.data} />`}
  `;
}

/** @param {{result: any}} props */
function Result({ result }) {
  const [chosen, choose] = useState(/** @type {any[] | null} */ (null));
  const { columns, rows, truncated, as_of: asOf } = result;
  const numbered = rows.map((/** @type {any[]} */ values, /** @type {number} */ number) => ({ number, values }));
  const shown = columns.map((/** @type {string} */ label, /** @type {number} */ at) => ({
    label,
    ...(rows.every((/** @type {any[]} */ row) => typeof row[at] === "number")
      ? { align: /** @type {"end"} */ ("end") }
      : {}),
    cell: (/** @type {any} */ row) => cell(row.values[at]),
  }));
  const number = {
    label: "Row",
    cell: (/** @type {any} */ row) => html`<button
      type="button"
      class="link"
      data-row
      aria-label=${`All of row ${row.number + 1}`}
      onClick=${() => choose(row.values)}
    >
      ${row.number + 1}
    </button>`,
  };
  return html`
    <p class="sub space-above" role="status">
      ${rows.length} ${rows.length === 1 ? "row" : "rows"}
      ${truncated ? html`, <span class="attention">and there are more</span>` : ""}, <${AsOf} of=${asOf} />
      ${rows.length > 0 && html` <button
        type="button"
        class="link"
        onClick=${() => download("query.json", [JSON.stringify({ columns, rows }, null, 1)])}
      >
        Download
      </button>`}
    </p>
    <${Table}
      label="Result"
      columns=${[number, ...shown]}
      rows=${numbered}
      id=${(/** @type {any} */ row) => String(row.number)}
      empty=${html`<${Empty}>No row.</${Empty}>`}
    />
    ${chosen && html`<${Dialog} title="One row" close=${() => choose(null)} wide>
      <div class="dialog-body">
        <dl class="whole">
          ${columns.map((/** @type {string} */ label, /** @type {number} */ at) => html`<div>
            <dt>${label}</dt>
            <dd>${whole(chosen[at])}</dd>
          </div>`)}
        </dl>
      </div>
    </${Dialog}>`}
  `;
}

/** A value without an end that is cut off. @param {any} value */
const whole = (value) =>
  value !== null && typeof value === "object"
    ? html`<pre tabindex="0">${JSON.stringify(value, null, 2)}</pre>`
    : cell(value);

/** @param {any} value */
function cell(value) {
  if (value === null) return html`<span class="dim">null</span>`;
  const text = typeof value === "object" ? JSON.stringify(value) : String(value);
  if (/^ord_[a-z2-7]{26}$/.test(text)) return html`<a href=${`orders/${text}`}><code>${text}</code></a>`;
  return html`<bdi title=${text}>${text}</bdi>`;
}
