/** What one event changed, before and after. */

import { changesOf } from "../../core/sagas.js";
import { inWords, words } from "../../core/values.js";
import { Card, Said } from "../../kit/parts.js";
import { settings } from "../../kit/settings.js";
import { useStore } from "../../kit/store.js";
import { html } from "../../kit/view.js";
import { isCovered } from "./timeline.js";

/** The first event makes the whole order; that is the panel of the state. */
const MANY = 14;

/** @param {any} props */
export function Changes({ event, states, index }) {
  const { zone } = useStore(settings);
  const changes = states[index] ? changesOf(states[index], event) : [];
  const shown = event.version === 1 ? [] : changes.slice(0, MANY);
  return html`<${Card}
    title=${`What event ${event.version} changed`}
    note=${`version ${event.version - 1} → ${event.version}`}
  >
    ${event.version === 1 && html`<p class="dim">The order was placed: everything below is new.</p>`}
    ${event.version !== 1 && !changes.length && html`<p class="dim">
      ${event.patch === null
        ? "A newer release recorded this event; this one cannot read it."
        : isCovered(event)
          ? "A text for people. It is covered until the contact is shown."
          : "Nothing that is shown. It is recorded for what follows."}
    </p>`}
    <ul class="changes">
      ${shown.map(({ path, before, after }) => html`<li>
        <span class="path">
          ${path.slice(0, -1).map((part) => html`<span class="dim">${named(part)} › </span>`)}
          <strong>${named(path[path.length - 1])}</strong>
        </span>
        <span>
          ${before === undefined
            ? html`<span class="dim">new</span>`
            : html`<del><${Said}>${inList(before, zone)}</${Said}></del>`}
        </span>
        <span class="dim" aria-label="becomes">→</span>
        <span>
          ${after === undefined
            ? html`<span class="dim">removed</span>`
            : html`<ins><${Said}>${inList(after, zone)}</${Said}></ins>`}
        </span>
      </li>`)}
    </ul>
    ${changes.length > shown.length && event.version !== 1 && html`<p class="dim">
      and ${changes.length - shown.length} more
    </p>`}
  </${Card}>`;
}

/** @param {string} part */
const named = (part) =>
  /^\d+$/.test(part) ? `#${part}` : part === "pending" ? "open requests" : part.replaceAll("_", " ");

/** @param {any} value @param {string} zone */
const inList = (value, zone) =>
  typeof value === "string" && /^[a-z]+(_[a-z]+)*$/.test(value) && !value.startsWith("pm_")
    ? words(value)
    : inWords(value, zone);
