/** Days as a filter: the API's range of instants, shown as days in UTC of which the last is included. */

import { setQuery } from "./router.js";
import { html } from "./view.js";

const DAY_MS = 86_400_000;

/**
 * Return the instant at which a day begins, or one some days later; empty if there is no such day.
 * @param {string} day
 */
export function beginOf(day, later = 0) {
  const at = Date.parse(`${day}T00:00:00Z`) + later * DAY_MS;
  return Number.isNaN(at) ? "" : new Date(at).toISOString();
}

/**
 * @param {{query: Record<string, string>, from: string, to: string}} props the names of the two filters
 */
export function Days({ query, from, to }) {
  const day = (/** @type {string} */ name, later = 0) => beginOf(query[name]?.slice(0, 10) ?? "", later).slice(0, 10);
  return html`
    <label class="field">
      <span>From, UTC</span>
      <input
        type="date"
        value=${day(from)}
        onChange=${(/** @type {any} */ e) => setQuery({ [from]: beginOf(e.target.value) })}
      />
    </label>
    <label class="field">
      <span>To, included</span>
      <input
        type="date"
        value=${day(to, -1)}
        onChange=${(/** @type {any} */ e) => setQuery({ [to]: beginOf(e.target.value, 1) })}
      />
    </label>
  `;
}
