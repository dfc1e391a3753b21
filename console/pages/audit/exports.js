/** Exports of events as signed files: begin one, follow it, download it with its manifest. */

import { typesOf } from "../../core/events.js";
import { get, newKey, post, useLoaded } from "../../kit/api.js";
import { beginOf } from "../../kit/days.js";
import { download } from "../../kit/download.js";
import { Badge, Card, Choice, Copy, Empty, Facts, RECORDERS, Time, Trouble } from "../../kit/parts.js";
import { setQuery } from "../../kit/router.js";
import { html, useEffect, useMemo, useState } from "../../kit/view.js";

const EVERY_MS = 700;
const FORMATS = /** @type {[string, string][]} */ ([["csv", "CSV"], ["jsonl", "JSON lines"], ["parquet", "Parquet"]]);
const FIELDS = /** @type {[string, string, string?][]} */ ([
  ["type", "Types, with commas"],
  ["order", "Order"],
  ["customer", "Customer"],
  ["restaurant", "Restaurant"],
  ["correlation", "Trace"],
  ["recorded_from", "From, UTC", "date"],
  ["recorded_to", "To, included", "date"],
]);

/** @param {{query: Record<string, string>}} props */
export function Exports({ query }) {
  const [values, set] = useState(() => filtersOf(query));
  const [format, choose] = useState("csv");
  const [peopleOnly, only] = useState(query.people_only === "true");
  const [problem, fail] = useState(/** @type {any} */ (null));
  const [busy, wait] = useState(false);
  // a second click is the same request
  const key = useMemo(newKey, [JSON.stringify([values, format, peopleOnly]), query.id]);
  const begin = async (/** @type {Event} */ event) => {
    event.preventDefault();
    wait(true);
    fail(null);
    try {
      setQuery({ id: (await post("exports", { format, filter: filterOf(values, peopleOnly) }, { key })).id });
    } catch (error) {
      fail(error);
    }
    wait(false);
  };
  return html`
    <form class="filters" onSubmit=${begin}>
      ${FIELDS.map(([name, label, type = "text"]) => html`<label class="field">
        <span>${label}</span>
        <input
          type=${type}
          value=${values[name] ?? ""}
          onInput=${(/** @type {any} */ e) => set({ ...values, [name]: e.target.value.trim() })}
        />
      </label>`)}
      <${Choice}
        label="Recorded by"
        value=${values.actor_role ?? ""}
        options=${RECORDERS}
        choose=${(/** @type {string} */ role) => set({ ...values, actor_role: role })}
      />
      <label class="field">
        <span>Format</span>
        <select value=${format} onChange=${(/** @type {any} */ e) => choose(e.target.value)}>
          ${FORMATS.map(([each, text]) => html`<option value=${each} selected=${each === format}>${text}</option>`)}
        </select>
      </label>
      <button type="button" aria-pressed=${peopleOnly} onClick=${() => only(!peopleOnly)}>People only</button>
      <button type="submit" class="primary" disabled=${busy}>Export events</button>
    </form>
    <${Trouble} problem=${problem} />
    ${query.id
      ? html`<${Export} key=${query.id} id=${query.id} />`
      : html`<${Empty}>
          Without a filter all events are exported. Nothing personal is in the file, and the request is recorded.
        </${Empty}>`}
  `;
}

/**
 * The fields as an address has them: a link from the event log exports what is listed there.
 * @param {Record<string, string>} query
 * @returns {Record<string, string>}
 */
function filtersOf(query) {
  const day = (/** @type {string} */ name, later = 0) => beginOf(query[name]?.slice(0, 10) ?? "", later).slice(0, 10);
  return {
    ...Object.fromEntries(FIELDS.map(([name]) => [name, query[name] ?? ""])),
    actor_role: query.actor_role ?? "",
    recorded_from: day("recorded_from"),
    recorded_to: day("recorded_to", -1),
  };
}

/** @param {Record<string, string>} values @param {boolean} peopleOnly */
function filterOf(values, peopleOnly) {
  const sent = (/** @type {string} */ name, /** @type {string} */ value) =>
    name === "type"
      ? typesOf(value)
      : name === "recorded_from"
        ? beginOf(value)
        : name === "recorded_to"
          ? beginOf(value, 1)
          : value;
  const filter = Object.fromEntries(
    Object.entries(values)
      .filter(([, value]) => value)
      .map(([name, value]) => [name, sent(name, value)]),
  );
  return peopleOnly ? { ...filter, people_only: true } : filter;
}

/** @param {{id: string}} props */
function Export({ id }) {
  const read = useLoaded((signal) => get(`exports/${id}`, { signal }), [id]);
  const made = read.data;
  useEffect(() => {
    if (made?.state !== "running") return;
    const timer = setTimeout(read.reload, EVERY_MS);
    return () => clearTimeout(timer);
  }, [made]);
  if (!made) return html`<${Trouble} problem=${read.error} retry=${read.reload} />`;
  return html`<${Card}
    title="Export"
    note=${html`<${Badge} of=${made.state === "failed" ? "parked" : made.state} label=${made.state} />`}
  >
    <${Trouble} problem=${read.error ?? (made.error && { message: made.error })} />
    ${made.state === "running" && html`<p role="status">${made.rows.toLocaleString()} events written so far.</p>`}
    <${Facts} rows=${[
      ["Events", made.rows.toLocaleString()],
      ["Bytes", made.bytes.toLocaleString()],
      ["Recorded until", html`<${Time} at=${made.as_of} />`],
      ["Filter", Object.keys(made.filter).length ? html`<code>${JSON.stringify(made.filter)}</code>` : "all events"],
      ["SHA-256", made.sha256 && html`<${Copy} text=${made.sha256} label="Copy the hash" short=${20} />`],
    ]} />
    ${made.state === "done" && html`<${Download} made=${made} />`}
  </${Card}>`;
}

/** @param {{made: any}} props */
function Download({ made }) {
  const [done, progress] = useState(/** @type {number | null} */ (null));
  const [checked, check] = useState(/** @type {boolean | null} */ (null));
  const [problem, fail] = useState(/** @type {any} */ (null));
  const name = `events-${made.as_of.slice(0, 10)}-${made.id.slice(0, 8)}.${made.format}`;
  const start = async () => {
    fail(null);
    try {
      const content = await blocks(made, progress);
      const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", await content.arrayBuffer()));
      const fits = [...hash].map((byte) => byte.toString(16).padStart(2, "0")).join("") === made.sha256;
      check(fits);
      if (fits) download(name, [content], "application/octet-stream");
    } catch (error) {
      fail(error);
    }
    progress(null);
  };
  return html`
    <${Trouble} problem=${problem} />
    <div class="actions">
      <button type="button" class="primary" disabled=${done !== null} onClick=${start}>
        ${done === null ? "Download" : `Block ${done} of ${made.blocks}`}
      </button>
      <button type="button" onClick=${() => download(`${name}.manifest`, [made.manifest], "text/plain")}>
        Download the manifest
      </button>
    </div>
    ${checked !== null && html`<p role="status">
      ${checked
        ? html`<span class="verified">✓ The file has the hash of its manifest</span>`
        : html`<span class="attention">The file does not have the hash of its manifest, and was not saved</span>`}
    </p>`}
    <p class="dim space-above">
      <code>expediter audit open ${name} --key KEY</code> checks the signature and queries the file without an engine.
      It is kept for a day.
    </p>
  `;
}

/** @param {any} made @param {(block: number) => void} progress */
async function blocks(made, progress) {
  const parts = [];
  for (let block = 0; block < made.blocks; block += 1) {
    progress(block + 1);
    const { content } = await get(`exports/${made.id}/content`, { query: { block } });
    parts.push(Uint8Array.from(atob(content), (character) => character.charCodeAt(0)));
  }
  return new Blob(parts);
}
