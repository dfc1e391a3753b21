/** A text as a filter in the address. */

import { setQuery } from "./router.js";
import { html } from "./view.js";

/** @param {{query: Record<string, string>, name: string, label: string}} props `name` is that of the filter */
export const TextFilter = ({ query, name, label }) => html`<label class="field">
  <span>${label}</span>
  <input
    type="text"
    value=${query[name] ?? ""}
    onChange=${(/** @type {any} */ e) => setQuery({ [name]: e.target.value.trim() })}
  />
</label>`;
