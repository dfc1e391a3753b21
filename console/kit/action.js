/** The one way to change something. Its form is another module, which is loaded when a dialog is first opened. */

import { loadModule, useLoaded } from "./api.js";
import { Dialog } from "./dialog.js";
import { Trouble } from "./parts.js";
import { html } from "./view.js";

/**
 * @typedef {{name: string, label: string, value?: string, options?: [string, string][], hint?: string, type?: string,
 *   step?: string, optional?: boolean, inert?: boolean}} Field an `inert` one is recorded, and does not change what
 *   happens
 */
/**
 * @typedef {object} ActionKind
 * @property {string} title what is done, in the imperative
 * @property {string} path of the API
 * @property {(values: Record<string, string>, plan: any) => Record<string, any>} body of the request; the reason is
 *   among the values; the plan that was shown, if there is one
 * @property {Field[]} [fields] what is asked for, beside the reason
 * @property {boolean} [dry] whether the API can say beforehand what would happen
 * @property {(answer: any) => any} [preview] how the answer to a dry run is shown, where it has no plan of an order
 * @property {string} [order] the order whose log holds the outcome
 * @property {number} [since] the order's version before
 * @property {any} [effect] what the action means, beside what the API computes
 * @property {string} [hint] below the reason, in place of that for support
 * @property {() => Promise<any>} [send] in place of the one request, where an action needs several
 * @property {string | null} [reason] the label of the reason; null if none is asked for
 * @property {(answer: any) => any} [show] what is shown of an answer that is not an order's
 */

/** @typedef {{kind: ActionKind, close: () => void, done?: (answer: any) => void}} ActionProps */

/** The module of the form, once it is loaded. @type {any} */
let loaded = null;

/** @param {ActionProps} props */
export function ActionDialog(props) {
  const load = async () => (loaded = await loadModule(import.meta.resolve("./action_form.js")));
  const form = useLoaded(load, []);
  if (loaded) return html`<${loaded.ActionForm} ...${props} />`;
  const problem = { message: "The form could not be loaded.", next: "Check that the engine runs, then try again." };
  return html`<${Dialog} title=${props.kind.title} close=${props.close} wide>
    <div class="dialog-body">
      ${form.error
        ? html`<${Trouble} problem=${problem} retry=${form.reload} />`
        : html`<p class="dim" aria-busy="true">Loading the form.</p>`}
    </div>
  </${Dialog}>`;
}
