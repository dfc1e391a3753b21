/** The login: a token in memory, never in storage, and what its holder may do. */

import { readProblem } from "../core/problems.js";
import { Store } from "./store.js";

/**
 * @typedef {object} Me
 * @property {string} role
 * @property {string} id
 * @property {{action: string, on: string}[]} may
 * @property {{amount: string, currency: string}[]} second_person_above
 */
/** @typedef {{kind: "code"} | {kind: "cognito", domain: string, client_id: string}} LoginKind */
/** @typedef {{api: string, login: LoginKind, environment: string}} Config */

/** @type {Store<Me | null>} */
export const me = new Store(/** @type {Me | null} */ (null));

/** @type {Store<string>} why the login page is shown, in a sentence; empty at first */
export const loginNotice = new Store("");

let token = "";
/** @type {Config} */
let config = { api: "/", login: { kind: "code" }, environment: "" };

export const currentToken = () => token;
export const currentConfig = () => config;
export const base = () => new URL(document.baseURI).pathname;

/** Whether the caller's role may do something, on any order or its own. @param {string} action */
export const may = (action) => Boolean(me.value?.may.some((each) => each.action === action));

/** Read config.json, then log in with the code of the address, if it has one. */
export async function begin() {
  const answer = await fetch("config.json", { cache: "no-cache" });
  if (answer.ok) config = await answer.json();
  addEventListener("hashchange", () => {
    const { code } = takeCode(); // another login in a window that is open
    if (code) void attempt(() => exchange(code));
  });
  const { code, query } = takeCode();
  if (config.login.kind === "cognito" && query) {
    const { finishLogin } = await import("./cognito.js");
    await attempt(() => finishLogin(/** @type {any} */ (config.login), query));
  } else if (code) {
    await attempt(() => exchange(code));
  }
}

/** Take the one-time code out of the address, so that it stays in no history. */
function takeCode() {
  const code = new URLSearchParams(location.hash.slice(1)).get("code") ?? "";
  const search = new URLSearchParams(location.search);
  const query = search.has("code") && search.has("state") ? search : null;
  if (code || query) history.replaceState(null, "", query ? base() : location.pathname + location.search);
  return { code, query };
}

/** @param {string} code @returns {Promise<string>} */
async function exchange(code) {
  const answer = await fetch("token", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ code }),
  });
  const body = await answer.json().catch(() => null);
  if (!answer.ok) throw readProblem(answer.status, body);
  return body.token;
}

/** @param {() => Promise<string>} getToken */
async function attempt(getToken) {
  try {
    await logIn(await getToken());
  } catch (error) {
    loginNotice.set(/** @type {Error} */ (error).message);
  }
}

/** Use a token, if the engine accepts it. @param {string} given */
export async function logIn(given) {
  const answer = await fetch(`${config.api}me`, { headers: { authorization: `Bearer ${given}` } });
  const body = await answer.json().catch(() => null);
  if (!answer.ok) throw readProblem(answer.status, body);
  if (me.value) me.set(null); // nothing of another login stays on the page
  token = given;
  loginNotice.set("");
  me.set(body);
}

/** Forget the token. @param {string} [why] shown on the login page */
export function logOut(why = "") {
  token = "";
  loginNotice.set(why);
  me.set(null);
}
