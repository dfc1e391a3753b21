/**
 * What can be done with the order now, by this role. Each is previewed, has a reason, and ends with what the log says.
 */

import { withoutId } from "../../core/values.js";
import { Card } from "../../kit/parts.js";
import { may, me } from "../../kit/session.js";
import { html, memo } from "../../kit/view.js";
import { note, offersOf } from "./offers.js";
import { resendOffer } from "./webhooks.js";

/** @typedef {import("./offers.js").Offered} Offered */

/** @param {any} props */
export const Actions = memo(({ id, order, why, events, sent, past, act }) => {
  if (!me.value) return null;
  const { offers, others } = offersOf({ id, order, why, events, me: me.value, resend: resendOffer(sent) });
  if (!offers.length) return null;
  const row = (/** @type {Offered} */ each) => html`<li>
    <div>
      <strong>${each.title}</strong>
      <span class="dim">${each.blocked ? withoutId(each.blocked, id) : each.note}</span>
    </div>
    ${each.href
      ? html`<a class="button" href=${each.href}>Open</a>`
      : html`<button
          type="button"
          disabled=${Boolean(each.blocked)}
          onClick=${() => act(each)}
          aria-label=${`${opens(each)}: ${each.title}`}
        >
          ${opens(each)}
        </button>`}
  </li>`;
  const refused = offers.filter(({ blocked }) => blocked);
  return html`<${Card} title="What you can do now" class="can-do" note=${past ? "acts on the live order" : ""} flush>
    <ul class="offers">${offers.filter(({ blocked }) => !blocked).map(row)}</ul>
    ${refused.length > 0 && html`<details class="other-reports">
      <summary>Not possible now: <span class="dim">${refused.map(({ title }) => title).join(", ")}</span></summary>
      <ul class="offers">${refused.map(row)}</ul>
    </details>`}
    ${others.length > 0 && html`<details class="other-reports" open=${order.status === "completed"}>
      <summary>
        The restaurant or the courier says something
        else: <span class="dim">${others.map(({ title }) => title).join(", ")}</span>
      </summary>
      <ul class="offers">${others.map(row)}</ul>
    </details>`}
  </${Card}>`;
});

/** A button that opens the form of a note. @param {{id: string, order: any, act: (offered: Offered) => void}} props */
export const AddNote = ({ id, order, act }) =>
  may("note") && html`<button type="button" onClick=${() => act({ ...note(id), since: order.version })}>
    Add note
  </button>`;

/** @param {Offered} offered */
const opens = (offered) => (offered.dry || offered.send ? "Preview" : "Open");
