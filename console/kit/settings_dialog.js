/** Colours, contrast, time zone, and logging out. */

import { Dialog } from "./dialog.js";
import { Choice } from "./parts.js";
import { choose, localZone, settings } from "./settings.js";
import { useStore } from "./store.js";
import { html } from "./view.js";

const ZONES = [localZone, "UTC", ...(Intl.supportedValuesOf?.("timeZone") ?? [])];

/** @param {{close: () => void, logOut: () => void}} props */
export function SettingsDialog({ close, logOut }) {
  const chosen = useStore(settings);
  return html`<${Dialog} title="Settings" close=${close}>
    <div class="dialog-body">
      <${Choice}
        label="Colours"
        value=${chosen.theme}
        options=${[
          ["system", "as the system"],
          ["light", "light"],
          ["dark", "dark"],
        ]}
        choose=${(/** @type {any} */ theme) => choose({ theme })}
      />
      <${Choice}
        label="Contrast"
        value=${chosen.contrast}
        options=${[
          ["normal", "normal"],
          ["high", "high"],
        ]}
        choose=${(/** @type {any} */ contrast) => choose({ contrast })}
      />
      <${Choice}
        label="Time zone"
        value=${chosen.zone}
        options=${[...new Set(ZONES)].map((zone) => [zone, zone === localZone ? `${zone} (this computer)` : zone])}
        choose=${(/** @type {string} */ zone) => choose({ zone })}
      />
      <label class="check">
        <input
          type="checkbox"
          checked=${chosen.utc}
          onChange=${(/** @type {any} */ e) => choose({ utc: e.target.checked })}
        />
        Show UTC beside each time
      </label>
      <p class="dim">
        Pointing at a time shows it in UTC too. The token of your login is kept in memory alone: reloading the page
        needs a new one.
      </p>
    </div>
    <footer>
      <button type="button" onClick=${logOut}>Log out</button>
      <button type="button" class="primary" onClick=${close}>Close</button>
    </footer>
  </${Dialog}>`;
}
