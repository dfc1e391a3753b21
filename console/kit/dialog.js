/** A dialog on the browser's own element, which holds the focus, closes with Escape and gives the focus back. */

import { Icon } from "./icons.js";
import { html, useEffect, useId, useRef } from "./view.js";

/** @param {{title: any, close: () => void, children?: any, wide?: boolean}} props */
export function Dialog({ title, close, children, wide }) {
  const element = useRef(/** @type {HTMLDialogElement | null} */ (null));
  const id = useId();
  useEffect(() => {
    const back = /** @type {HTMLElement | null} */ (document.activeElement);
    element.current?.showModal();
    return () => (back?.isConnected ? back : document.getElementById("main"))?.focus(); // the row that opened it may be gone
  }, []);
  return html`<dialog ref=${element} class=${wide ? "wide" : ""} aria-labelledby=${id} onClose=${close}
    onClick=${(/** @type {any} */ e) => e.target === element.current && close()}>
    <div class="dialog">
      <header><h2 id=${id}>${title}</h2><button type="button" class="quiet" aria-label="Close" onClick=${close}><${Icon} name="cross" /></button></header>
      ${children}
    </div>
  </dialog>`;
}
