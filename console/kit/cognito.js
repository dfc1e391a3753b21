/** Logs in at Amazon Cognito's hosted page: authorization code with PKCE (RFC 7636). No secret is in the console. */

import { base } from "./session.js";

/** @typedef {{domain: string, client_id: string}} Pool */

/**
 * The verifier has to outlive the visit to the hosted page. It is worth nothing without the code, and is deleted then.
 */
const KEPT = "expediter-pkce";

/** Open the hosted login page. @param {Pool} pool */
export async function startLogin(pool) {
  const verifier = random();
  const state = random();
  sessionStorage.setItem(KEPT, JSON.stringify({ verifier, state }));
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier));
  const query = new URLSearchParams({
    response_type: "code",
    client_id: pool.client_id,
    redirect_uri: redirectUri(),
    scope: "openid aws.cognito.signin.user.admin",
    state,
    code_challenge_method: "S256",
    code_challenge: base64url(new Uint8Array(digest)),
  });
  location.assign(`${pool.domain}/oauth2/authorize?${query}`);
}

/**
 * Exchange the code that the hosted page sent back for a token.
 * @param {Pool} pool
 * @param {URLSearchParams} query
 * @returns {Promise<string>}
 */
export async function finishLogin(pool, query) {
  const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? "{}");
  sessionStorage.removeItem(KEPT);
  if (!kept.state || kept.state !== query.get("state"))
    throw new Error("This login was not begun in this window. Log in again.");
  const answer = await fetch(`${pool.domain}/oauth2/token`, {
    method: "POST",
    body: new URLSearchParams({
      grant_type: "authorization_code",
      client_id: pool.client_id,
      code: query.get("code") ?? "",
      redirect_uri: redirectUri(),
      code_verifier: kept.verifier,
    }),
  });
  const body = await answer.json().catch(() => null);
  if (!answer.ok || !body?.access_token) throw new Error("The login service did not accept the login. Log in again.");
  return body.access_token;
}

const redirectUri = () => location.origin + base();
const random = () => base64url(crypto.getRandomValues(new Uint8Array(32)));

/** @param {Uint8Array} bytes */
const base64url = (bytes) =>
  btoa(String.fromCharCode(...bytes))
    .replace(/\+/g, "-")
    .replace(/\//g, "_")
    .replace(/=+$/, "");
