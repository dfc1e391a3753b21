/** A dialog on the browser's own element, which holds the focus, closes with Escape and gives the focus back. */

import { Icon } from "./icons.js";
import { html, useEffect, useId, useRef } from "./view.js";

/**
 * @param {{title: any, close: () => void, children?: any, wide?: boolean, held?: boolean}} props `held`: it cannot be
 *   closed now
 */
export function Dialog({ title, close, children, wide, held = false }) {
  const element = useRef(/** @type {HTMLDialogElement | null} */ (null));
  const id = useId();
  useEffect(() => {
    const back = /** @type {HTMLElement | null} */ (document.activeElement);
    element.current?.showModal();
    // the row that opened it may be gone
    return () => (back?.isConnected ? back : document.getElementById("main"))?.focus();
  }, []);
  // a browser closes it at the second Escape, whatever the first was answered
  const closed = () => (held ? element.current?.showModal() : close());
  return html`<dialog
    ref=${element}
    class=${wide ? "wide" : ""}
    aria-labelledby=${id}
    onClose=${closed}
    onCancel=${(/** @type {Event} */ e) => held && e.preventDefault()}
    onClick=${(/** @type {any} */ e) => e.target === element.current && !held && close()}
  >
    <div class="dialog">
      <header>
        <h2 id=${id}>${title}</h2>
        <button type="button" class="quiet" aria-label="Close" disabled=${held} onClick=${close}>
          <${Icon} name="cross" />
        </button>
      </header>
      ${children}
    </div>
  </dialog>`;
}
