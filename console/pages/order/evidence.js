/** The proof of one event: who, when, which request, and its place in the hash chain. */

import { exact } from "../../core/time.js";
import { Card, Copy, Facts, Said, actorWords } from "../../kit/parts.js";
import { may } from "../../kit/session.js";
import { html } from "../../kit/view.js";

/** @param {any} props */
export function Evidence({ event, timeline }) {
  const trace = event.trace ?? event.correlation;
  const broken = timeline.verified.findings.filter((/** @type {any} */ f) => f.version === event.version);
  return html`<${Card} class="evidence" title=${html`<span class="saga-dot" data-saga=${event.saga}></span><${Said}>${event.words}</${Said}>`}>
    <${Facts} rows=${[
      ["Type", html`<code>${event.type} v${event.schema}</code>`],
      ["When", html`<span class="mono">${exact(event.recorded_at)}</span>`],
      ["By", html`<${Said}>${actorWords(event.actor)}</${Said}>`],
      ["Trace", html`${may("list_events") ? html`<a href=${`events?correlation=${encodeURIComponent(trace)}`}><code>${trace.slice(0, 18)}</code></a>` : html`<code>${trace.slice(0, 18)}</code>`}`],
      ["Recorded by", html`<code title=${event.causation}>${event.causation.slice(0, 22)}</code>`],
      ["Key", !event.key.startsWith("(") && html`<${Copy} text=${event.key} short=${24} />`],
      ["Commit", event.commit === event.version ? `of this event` : `begun by event ${event.commit}`],
      ["Hash", html`<span class=${timeline.verified.ok ? "verified" : ""}>${timeline.verified.ok ? "✓ " : ""}</span><${Copy} text=${event.hash} short=${14} />`],
      ["Previous", event.previous ? html`<${Copy} text=${event.previous} short=${14} />` : "the first commit"],
    ]} />
    ${broken.map((/** @type {any} */ f) => html`<p class="attention">${f.what}</p>`)}
  </${Card}>`;
}
