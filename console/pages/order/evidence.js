/** The proof of one event: who, when, which request, and its place in the hash chain. */

import { exact } from "../../core/time.js";
import { get, useLoaded } from "../../kit/api.js";
import { Card, Copy, Facts, Said, Time, actorWords } from "../../kit/parts.js";
import { may } from "../../kit/session.js";
import { html, useState } from "../../kit/view.js";

/** @param {any} props */
export function Evidence({ id, event, timeline }) {
  // for those whose work is the order itself it is folded; on paper it is not
  const [unfolded, unfold] = useState(!may("note"));
  const trace = event.trace ?? event.correlation;
  const broken = timeline.verified.findings.filter((/** @type {any} */ f) => f.version === event.version);
  return html`<${Card}
    class="evidence"
    title=${html`<span class="saga-dot" data-saga=${event.saga}></span><${Said}>${event.words}</${Said}>`}
  >
    <${Facts} rows=${[
      ["Type", html`<code>${event.type} v${event.schema}</code>`],
      [
        "When",
        html`<${Time} at=${event.recorded_at} /> <span class="dim mono">${exact(event.recorded_at).slice(11)}</span>`,
      ],
      ["By", html`<${Said}>${actorWords(event.actor)}</${Said}>`],
    ]} />
    <button type="button" class="link" aria-expanded=${unfolded} onClick=${() => unfold(!unfolded)}>
      Proof: request, hash chain, checkpoint
    </button>
    <div class=${unfolded ? "proof" : "proof folded"}>
      <${Facts} rows=${[
        [
          "Trace",
          html`
            ${may("list_events")
              ? html`<a href=${`events?correlation=${encodeURIComponent(trace)}`}>
                  <code>${trace.slice(0, 18)}</code>
                </a>`
              : html`<code>${trace.slice(0, 18)}</code>`}
          `,
        ],
        ["Recorded by", html`<code title=${event.causation}>${event.causation.slice(0, 22)}</code>`],
        ["Key", !event.key.startsWith("(") && html`<${Copy} text=${event.key} short=${24} />`],
        ["Commit", event.commit === event.version ? `of this event` : `begun by event ${event.commit}`],
        [
          "Hash",
          html`
            <span class=${timeline.verified.ok ? "verified" : ""}>${timeline.verified.ok ? "✓ " : ""}</span>
            <${Copy} text=${event.hash} short=${14} />
          `,
        ],
        ["Previous", event.previous ? html`<${Copy} text=${event.previous} short=${14} />` : "the first commit"],
        [
          "Checkpoint",
          may("read_checkpoints") && html`<${Checkpoint}
            id=${id}
            commit=${event.commit}
            version=${timeline.version}
          />`,
        ],
      ]} />
    </div>
    ${broken.map((/** @type {any} */ f) => html`<p class="attention">${f.what}</p>`)}
  </${Card}>`;
}

/**
 * Whether a signed checkpoint holds the event's commit. The proof has the whole history, so it is read when asked for.
 * @param {{id: string, commit: number, version: number}} props
 */
function Checkpoint({ id, commit, version }) {
  const [wanted, ask] = useState(false);
  const proof = useLoaded(
    async (signal) => (wanted ? get(`orders/${id}/proof`, { signal }) : null),
    [id, wanted, version],
  );
  if (!wanted) return html`<button type="button" class="link" onClick=${() => ask(true)}>Look it up</button>`;
  if (proof.error) return html`<span class="attention">${proof.error.message}</span>`;
  if (!proof.data) return html`<span class="dim" aria-busy="true">Reading the proof.</span>`;
  const [, size, , madeAt] = proof.data.checkpoint.split("\n");
  if (!proof.data.commits.some((/** @type {any} */ each) => each.version === commit))
    return html`<span class="dim">
      after the one of ${exact(madeAt.replace("made_at ", ""))}: the next will have it
    </span>`;
  return html`
    <span class="verified">✓</span> of ${exact(madeAt.replace("made_at ", ""))}, place ${proof.data.leaf + 1} of ${size}
  `;
}
