/** What a reader chose for this browser: colours, contrast, time zone, sound. Nothing secret, so it is stored. */

import { isZone } from "../core/time.js";
import { Store } from "./store.js";

/**
 * @typedef {{theme: "system" | "light" | "dark", contrast: "normal" | "high", zone: string, utc: boolean, sound:
 *   boolean}} Settings
 */

const NAME = "expediter-settings";
export const localZone = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
const DEFAULTS = /** @type {Settings} */ ({
  theme: "system",
  contrast: "normal",
  zone: localZone,
  utc: false,
  sound: false,
});

export const settings = new Store(stored());
apply(settings.value);

/** @returns {Settings} */
function stored() {
  try {
    const kept = JSON.parse(localStorage.getItem(NAME) ?? "{}");
    return { ...DEFAULTS, ...kept, zone: isZone(kept.zone ?? "") && kept.zone ? kept.zone : localZone };
  } catch {
    return DEFAULTS;
  }
}

/** @param {Partial<Settings>} changes */
export function choose(changes) {
  settings.set({ ...settings.value, ...changes });
  apply(settings.value);
  try {
    localStorage.setItem(NAME, JSON.stringify(settings.value));
  } catch {
    // A private window: the choice lasts until it is closed.
  }
}

/** @param {Settings} chosen */
function apply(chosen) {
  const root = document.documentElement;
  if (chosen.theme === "system") root.removeAttribute("data-theme");
  else root.setAttribute("data-theme", chosen.theme);
  root.toggleAttribute("data-high-contrast", chosen.contrast === "high");
}
