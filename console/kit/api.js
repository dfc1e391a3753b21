/** Calls the public API. Every error is a `Problem`; every write carries an Idempotency-Key. */

import { address } from "../core/addresses.js";
import { Problem, readProblem } from "../core/problems.js";
import { oneAtATime } from "../core/reading.js";
import { useCatchUp } from "./catch_up.js";
import { currentConfig, currentToken, logOut } from "./session.js";
import { Store } from "./store.js";
import { useCallback, useEffect, useRef, useState } from "./view.js";

/** Whether the last request reached the engine. */
export const online = new Store(true);

/**
 * @typedef {object} Options
 * @property {Record<string, any>} [query]
 * @property {any} [body]
 * @property {string} [key] the Idempotency-Key; one a request unless it is repeated
 * @property {string} [reason] why personal data is read; recorded for auditors
 * @property {number} [ifMatch] the version that the caller looked at
 * @property {string} [ifNoneMatch]
 * @property {AbortSignal} [signal]
 * @property {string} [file] the media type of a file to read in place of JSON
 */

/** @param {string} path @param {Options} [options] @returns {Promise<any>} */
export const get = (path, options) => call("GET", path, options);

/** @param {string} path @param {any} body @param {Options} [options] @returns {Promise<any>} */
export const post = (path, body, options) => call("POST", path, { key: newKey(), ...options, body });

/** @param {string} path @param {any} body @param {Options} [options] @returns {Promise<any>} */
export const patch = (path, body, options) => call("PATCH", path, { ...options, body });

/**
 * Read a file, byte for byte as it is sent.
 * @param {string} path
 * @param {string} type
 * @param {Options} [options]
 * @returns {Promise<Blob>}
 */
export const getFile = (path, type, options) => call("GET", path, { ...options, file: type });

/**
 * A change without an answer for so long is sent again by its person, under the same key. A gateway gives up after 30
 * s.
 */
const WRITE_MS = 60_000;

export const newKey = () => crypto.randomUUID();

/** Make a part of a path of a text. @param {string} text */
export const quoted = (text) => encodeURIComponent(text);

/** @param {string} method @param {string} path @param {Options} [options] @returns {Promise<any>} null for 304 */
async function call(method, path, { query, body, key, reason, ifMatch, ifNoneMatch, signal, file } = {}) {
  /** @type {Record<string, string>} */
  const headers = { authorization: `Bearer ${currentToken()}`, accept: file ?? "application/json" };
  if (body !== undefined) headers["content-type"] = "application/json";
  if (key) headers["idempotency-key"] = key;
  if (reason) headers["access-reason"] = reason.replace(/[^ -~]/g, "?").slice(0, 200);
  if (ifMatch) headers["if-match"] = `"${ifMatch}"`;
  if (ifNoneMatch) headers["if-none-match"] = `"${ifNoneMatch}"`;
  let answer, content;
  const limit = new AbortController();
  const timer = method === "GET" ? 0 : setTimeout(() => limit.abort(), WRITE_MS);
  try {
    const url = currentConfig().api + address(path, query);
    answer = await fetch(url, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.any([limit.signal, ...(signal ? [signal] : [])]),
      cache: "no-store",
    });
    content = answer.ok && file ? await answer.blob() : asJson(await answer.text());
  } catch (error) {
    if (signal?.aborted) throw error;
    online.set(false);
    throw new Problem(0, method === "GET" ? "Unread" : "Unsent", "The engine does not answer.");
  } finally {
    clearTimeout(timer);
  }
  online.set(true);
  if (answer.status === 304) return null;
  if (answer.ok) return content;
  const problem = readProblem(answer.status, content);
  if (answer.status === 401) logOut("Your login has ended.");
  throw problem;
}

/** Read JSON; null for any other text. @param {string} text */
function asJson(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** @type {Map<string, Promise<any>>} */
const modules = new Map();
/** @type {Map<string, number>} */
const failures = new Map();

/**
 * Load a module. After a failure it has another address: many browsers keep that the first had no answer.
 * @param {string} address
 */
export function loadModule(address) {
  const kept = modules.get(address);
  if (kept) return kept;
  const failed = failures.get(address) ?? 0;
  const loading = import(failed ? `${address}?again=${failed}` : address);
  modules.set(address, loading);
  loading.catch(() => (modules.delete(address), failures.set(address, failed + 1)));
  return loading;
}

/**
 * Read when `deps` change and when the returned function is called.
 * @param {(signal: AbortSignal) => Promise<void>} read
 * @param {any[]} deps
 */
export function useReading(read, deps) {
  const latest = useRef(read);
  latest.current = read;
  const begin = useRef(() => {});
  useEffect(() => {
    const abort = new AbortController();
    begin.current = oneAtATime((signal) => latest.current(signal), abort.signal);
    begin.current();
    return () => abort.abort();
  }, deps);
  return useCallback(() => begin.current(), []);
}

/**
 * Load something, and load it again when `deps` change, while it lacks what the log has, and after a problem that
 * passes. What was loaded stays visible meanwhile.
 * @template T
 * @param {(signal: AbortSignal) => Promise<T>} load
 * @param {any[]} deps
 * @returns {{data: T | undefined, error: Problem | null, loading: boolean, reload: () => void}}
 */
export function useLoaded(load, deps) {
  const [state, show] = useState(
    /** @type {{data: T | undefined, error: Problem | null, loading: boolean}} */ ({
      data: undefined,
      error: null,
      loading: true,
    }),
  );
  const reload = useReading((signal) => {
    show((before) => ({ ...before, loading: true }));
    return load(signal).then(
      (data) => void (signal.aborted || show({ data, error: null, loading: false })),
      (error) => void (signal.aborted || show((before) => ({ ...before, error, loading: false }))),
    );
  }, deps);
  useEffect(() => {
    const retry = (/** @type {boolean} */ is) => void (is && reload());
    online.listeners.add(retry);
    return () => void online.listeners.delete(retry);
  }, []);
  useCatchUp(state.data, state.error, reload);
  return { ...state, reload };
}
