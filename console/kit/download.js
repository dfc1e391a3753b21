/** Files for the reader: made in this window, or read from the API exactly as they are sent. */

import { getFile } from "./api.js";
import { Trouble } from "./parts.js";
import { html, useState } from "./view.js";

/** @param {string} name @param {BlobPart[]} parts @param {string} [type] */
export function download(name, parts, type = "application/json") {
  const url = URL.createObjectURL(new Blob(parts, { type }));
  Object.assign(document.createElement("a"), { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}

/**
 * A button that reads a file and gives it to the reader. A refusal is shown beside it.
 * @param {{label: string, path: string, query?: Record<string, any>, type: string, name: string, primary?: boolean}}
 *   props
 */
export function Download({ label, path, query, type, name, primary }) {
  const [busy, setBusy] = useState(false);
  const [problem, show] = useState(/** @type {any} */ (null));
  const read = async () => {
    setBusy(true);
    show(null);
    await getFile(path, type, { query }).then((content) => download(name, [content], type), show);
    setBusy(false);
  };
  return html`
    <button type="button" class=${primary ? "primary" : ""} disabled=${busy} onClick=${read}>
      ${busy ? "Reading" : label}
    </button>
    <${Trouble} problem=${problem} />
  `;
}
