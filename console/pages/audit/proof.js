/** A proof of one order for an outside party: made by the engine, checked in this browser, downloaded as a file. */

import { checkProof } from "../../core/proofs.js";
import { get, quoted, useLoaded } from "../../kit/api.js";
import { download } from "../../kit/download.js";
import { Card, Copy, Empty, Facts, Time, Trouble } from "../../kit/parts.js";
import { setQuery } from "../../kit/router.js";
import { html, useState } from "../../kit/view.js";

/** @param {{query: Record<string, string>}} props */
export function ProofOfOrder({ query }) {
  const [typed, type] = useState(query.order ?? "");
  const made = useLoaded(async (signal) => (query.order ? prove(query.order, signal) : null), [query.order]);
  const make = (/** @type {Event} */ event) => (
    event.preventDefault(),
    typed.trim() === query.order ? made.reload() : setQuery({ order: typed.trim() })
  );
  const proof = made.loading ? null : made.data;
  return html`
    <form class="filters" onSubmit=${make}>
      <label class="field grow">
        <span>Order</span>
        <input
          type="text"
          required
          value=${typed}
          placeholder="ord_…"
          onInput=${(/** @type {any} */ e) => type(e.target.value)}
        />
      </label>
      <button type="submit" class="primary">Make the proof</button>
    </form>
    <${Trouble} problem=${made.error} />
    ${made.loading && query.order && html`<p class="dim" aria-busy="true">Making and checking the proof.</p>`}
    ${proof && !made.error && html`<${Proof} order=${query.order} ...${proof} />`}
    ${!query.order && html`<${Empty}>
      A proof shows an outside party what was recorded about an order. Personal data in it stays sealed.
    </${Empty}>`}
  `;
}

/** @param {string} order @param {AbortSignal} signal */
async function prove(order, signal) {
  const proof = await get(`orders/${quoted(order)}/proof`, { signal });
  return checkProof(proof).then(
    (checked) => ({ proof, checked, refused: "" }),
    (error) => ({
      proof,
      checked: null,
      refused: error.name === "NotSupportedError" ? "this browser cannot check Ed25519 signatures" : error.message,
    }),
  );
}

/** @param {{order: string, proof: any, checked: any, refused: string}} props */
function Proof({ order, proof, checked, refused }) {
  return html`<${Card} title=${html`Proof of <a href=${`orders/${order}`}><code>${order}</code></a>`}>
    <p class="sentence" role="status">
      ${checked
        ? html`<span class="verified">
            ✓ Checked in this browser: chain, both signatures, inclusion and consistency hold
          </span>`
        : html`<span class="attention">Not verified: ${refused}</span>`}
    </p>
    ${checked && html`<${Facts} rows=${[
      [
        "Proves the order up to",
        html`<a href=${`orders/${order}?at=${checked.version}`}>version ${checked.version}</a>`,
      ],
      ["Commits", proof.commits.length],
      [
        "In the checkpoint of",
        html`<${Time} at=${checked.checkpoint.madeAt} /> with ${checked.checkpoint.size.toLocaleString()} heads`,
      ],
      [
        "Newest checkpoint",
        html`<${Time} at=${checked.newest.madeAt} /> with ${checked.newest.size.toLocaleString()} heads`,
      ],
      ["Signed by", html`<${Copy} text=${proof.key} label="Copy the key" short=${40} />`],
    ]} />`}
    <div class="actions">
      <button type="button" onClick=${() => download(`${order}.json`, [JSON.stringify(proof)])}>
        Download the proof
      </button>
    </div>
    <p class="dim space-above">
      Its reader checks it with <code>expediter-verify ${order}.json --key KEY</code>. Give the key by another way than
      the file.
    </p>
  </${Card}>`;
}
