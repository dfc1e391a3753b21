/** Logging in: Cognito's hosted page, or a code of `expediter console`, or a token that is pasted. */

import { Trouble } from "../kit/parts.js";
import { currentConfig, logIn, loginNotice } from "../kit/session.js";
import { useStore } from "../kit/store.js";
import { html, useState } from "../kit/view.js";

export function Login() {
  const notice = useStore(loginNotice);
  const login = currentConfig().login;
  return html`<main class="login" id="main">
    <img src="favicon.svg" alt="" width="44" height="44" />
    <h1>Expediter console</h1>
    ${notice && html`<p class="attention" role="alert">${notice}</p>`}
    ${login.kind === "cognito"
      ? html`<${Hosted} login=${login} />`
      : html`
          <p>Run this on the engine's machine. It opens a window that is logged in:</p>
          <pre>expediter console --data DIR</pre>
        `}
    <${Paste} />
  </main>`;
}

/** @param {{login: {domain: string, client_id: string}}} props */
function Hosted({ login }) {
  const start = async () => (await import("../kit/cognito.js")).startLogin(login);
  return html`<button type="button" class="primary big" onClick=${start}>Log in</button>`;
}

function Paste() {
  const [token, type] = useState("");
  const [problem, show] = useState(/** @type {any} */ (null));
  const send = async (/** @type {Event} */ event) => {
    event.preventDefault();
    await logIn(token.trim()).catch(show);
  };
  return html`<form class="paste" onSubmit=${send}>
    <label for="token">Or paste an access token</label>
    <div class="inline">
      <input
        id="token"
        type="password"
        autocomplete="off"
        value=${token}
        onInput=${(/** @type {any} */ e) => type(e.target.value)}
      />
      <button type="submit" disabled=${!token.trim()}>Log in</button>
    </div>
    <small>
      expediter token --role support --id YOU --data DIR prints one. It stays in this window's memory and is gone when
      you reload.
    </small>
    <${Trouble} problem=${problem} />
  </form>`;
}
