/** Small line icons, drawn here so that no font is loaded. They are decoration: the text beside one says the same. */

import { html, memo } from "./view.js";

const PATHS = {
  back: "M10 3 5 8l5 5",
  forward: "M6 3l5 5-5 5",
  search: "M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10zM11 11l3 3",
  check: "M3 8.5 6.5 12 13 4.5",
  cross: "M4 4l8 8M12 4l-8 8",
  pause: "M5.5 3v10M10.5 3v10",
  play: "M5 3v10l8-5z",
  warning: "M8 2 1.5 13.5h13zM8 6.5v3M8 11.5v.2",
  undo: "M5 3 2 6l3 3M2 6h7a4 4 0 0 1 0 8H6",
  copy: "M6 6h7v8H6zM3 10V2h7",
  print: "M4 6V2h8v4M4 11H2V6h12v5h-2M4 9h8v5H4z",
  eye: "M1.5 8S4 3.5 8 3.5 14.5 8 14.5 8 12 12.5 8 12.5 1.5 8 1.5 8zM8 10a2 2 0 1 0 0-4 2 2 0 0 0 0 4z",
  person: "M8 8a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM2.5 14a5.5 5.5 0 0 1 11 0",
};

/** @param {{name: keyof typeof PATHS}} props */
export const Icon = ({ name }) =>
  html`<svg class="icon" viewBox="0 0 16 16" aria-hidden="true" focusable="false"><path d=${PATHS[name]} /></svg>`;

/**
 * The logo as a part of the page: an image is fetched again whenever the address changes, which a slider does at every
 * step.
 */
export const Logo = memo(() => html`<svg class="logo" viewBox="0 0 32 32" width="22" height="22" aria-hidden="true">
  <rect width="32" height="32" rx="8" />
  <path d="M9 22h14M11 18a5 5 0 0 1 10 0zM16 11v2" />
</svg>`);
