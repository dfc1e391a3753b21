/**
 * The person to deliver to. For support it is covered until somebody asks for it; that read is recorded for auditors.
 */

import { Icon } from "../../kit/icons.js";
import { Card, Facts, Said } from "../../kit/parts.js";
import { me } from "../../kit/session.js";
import { html, memo, useId, useState } from "../../kit/view.js";

/** @param {any} props */
export const Contact = memo(({ order, personal, uncover }) => {
  const [reason, type] = useState("");
  const id = useId();
  const contact = order.contact;
  if (typeof contact !== "string")
    return html`<${Card} title="Contact" note=${personal ? "this read is recorded" : ""}>
      <${Facts} rows=${[
        ["Name", html`<${Said}>${contact.name}</${Said}>`],
        [
          "Phone",
          html`<a href=${`tel:${contact.phone.replace(/[^+\d]/g, "")}`}><${Said}>${contact.phone}</${Said}></a>`,
        ],
        ["Address", html`<${Said}>${contact.address}</${Said}>`],
        ["Note", contact.note && html`<${Said}>${contact.note}</${Said}>`],
        ["E-mail", contact.email && html`<${Said}>${contact.email}</${Said}>`],
        [
          "For the kitchen",
          order.kitchen_note && !order.kitchen_note.startsWith("(") && html`<${Said}>${order.kitchen_note}</${Said}>`,
        ],
      ]} />
    </${Card}>`;
  if (contact === "(erased)")
    return html`<${Card} title="Contact"><p class="dim">Erased with the customer's key.</p></${Card}>`;
  if (!["support", "service"].includes(me.value?.role ?? "") || personal)
    return html`<${Card} title="Contact"><p class="dim">Not shown to your role.</p></${Card}>`;
  const ask = (/** @type {Event} */ event) => (event.preventDefault(), uncover({ reason: reason.trim() }));
  return html`<${Card} title="Contact" note="covered" class="covered">
    <form class="stack" onSubmit=${ask}>
      <div class="field">
        <label for=${id}>Why you need it</label>
        <input
          id=${id}
          type="text"
          maxlength="200"
          value=${reason}
          placeholder="e.g. the number of the case"
          onInput=${(/** @type {any} */ e) => type(e.target.value)}
        />
      </div>
      <button type="submit"><${Icon} name="eye" />Show name, phone and address</button>
      <small>Auditors see that you looked, when and why.</small>
    </form>
  </${Card}>`;
});
