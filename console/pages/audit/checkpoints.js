/** The checkpoints: signed roots of the tree of all streams' heads. A copy elsewhere holds this engine to them. */

import { get } from "../../kit/api.js";
import { Dialog } from "../../kit/dialog.js";
import { download } from "../../kit/download.js";
import { usePaged } from "../../kit/paged.js";
import { Copy, Empty, Facts, Time, Trouble } from "../../kit/parts.js";
import { Table } from "../../kit/table.js";
import { html, useCallback, useState } from "../../kit/view.js";

export function Checkpoints() {
  const load = useCallback(
    (/** @type {string | null} */ before) => get("audit/checkpoints", { query: { limit: 50, before } }),
    [],
  );
  const list = usePaged("audit/checkpoints", "checkpoints", {}, load);
  const [chosen, choose] = useState(/** @type {any} */ (null));
  const key = list.first?.key;
  return html`
    ${key && html`<p class="sub">
      Compare the key that signs them with the one that you were given by another
      way: <${Copy} text=${key} label="Copy the key" short=${60} />
    </p>`}
    <${Trouble} problem=${list.problem} retry=${list.reload} />
    <${Table}
      label="Checkpoints"
      columns=${columns(choose)}
      rows=${list.rows}
      id=${(/** @type {any} */ c) => String(c.number)}
      more=${list.more}
      empty=${!list.loading && !list.problem && html`<${Empty}>
        There is no checkpoint yet. The engine makes one in the hour after the first event.
      </${Empty}>`}
    />
    ${chosen && html`<${Checkpoint} checkpoint=${chosen} close=${() => choose(null)} />`}
  `;
}

/** @param {(checkpoint: any) => void} choose */
const columns = (choose) => [
  {
    label: "Number",
    cell: (/** @type {any} */ c) => html`<button type="button" class="link" data-row onClick=${() => choose(c)}>
      Checkpoint ${c.number}
    </button>`,
  },
  { label: "Made", cell: (/** @type {any} */ c) => html`<${Time} at=${c.made_at} />` },
  {
    label: "Heads in the tree",
    align: /** @type {"end"} */ ("end"),
    late: true,
    cell: (/** @type {any} */ c) => c.size.toLocaleString(),
  },
  { label: "Root", wide: true, cell: (/** @type {any} */ c) => html`<code title=${c.root}>${c.root}</code>` },
  {
    label: "Complete to",
    late: true,
    cell: (/** @type {any} */ c) =>
      c.complete_to ? html`<${Time} at=${c.complete_to} />` : html`<span class="dim">not known</span>`,
  },
];

/** One checkpoint: its signed note, and the heads that it added. @param {{checkpoint: any, close: () => void}} props */
function Checkpoint({ checkpoint, close }) {
  const load = useCallback(
    (/** @type {string | null} */ after) =>
      get("audit/heads", { query: { checkpoint: checkpoint.number, limit: 100, after } }),
    [checkpoint.number],
  );
  const heads = usePaged("audit/heads", "heads", { checkpoint: checkpoint.number }, load);
  return html`<${Dialog} title=${`Checkpoint ${checkpoint.number}`} close=${close} wide>
    <div class="dialog-body">
      <${Facts} rows=${[
        ["Made", html`<${Time} at=${checkpoint.made_at} />`],
        ["Heads in the tree", checkpoint.size.toLocaleString()],
      ]} />
      <h3>The signed note</h3>
      <pre tabindex="0">${checkpoint.note}</pre>
      <div class="actions">
        <button
          type="button"
          onClick=${() => download(`checkpoint-${checkpoint.number}.txt`, [checkpoint.note], "text/plain")}
        >
          Download the note
        </button>
      </div>
      <h3>Heads that it added</h3>
      <${Trouble} problem=${heads.problem} retry=${heads.reload} />
      <ul class="lines">
        ${heads.rows.map((/** @type {any} */ h) => html`<li>
          <code><bdi>${h.stream}</bdi></code>
          <span class="dim"><code title=${h.hash}>${h.hash.slice(0, 16)}…</code></span>
          <span>version ${h.version}</span>
        </li>`)}
      </ul>
      ${heads.more && html`<div class="actions"><button type="button" onClick=${heads.more}>More</button></div>`}
    </div>
  </${Dialog}>`;
}
