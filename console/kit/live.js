/**
 * Live updates: one socket for the whole console (docs/live.md). It comes back by itself after sleep, a restart of the
 * engine or an expired ticket, and goes on after the last version or position that a topic has.
 */

import { Problem } from "../core/problems.js";
import { online, post } from "./api.js";
import { currentConfig, currentToken } from "./session.js";
import { Store } from "./store.js";
import { useEffect, useRef } from "./view.js";

/** @typedef {"off" | "connecting" | "live" | "unavailable"} LiveState */
/**
 * @typedef {object} Subscription
 * @property {number | undefined} since
 * @property {(message: any) => void} take
 * @property {(problem: Problem) => void} [refused]
 * @property {() => void} [begun] called once: changes from then on are taken; and again where changes before were not
 * @property {boolean} [isBegun]
 */

/** @type {Store<LiveState>} */
export const liveState = new Store(/** @type {LiveState} */ ("off"));

/** @type {Map<string, Set<Subscription>>} */
const topics = new Map();
/** @type {WebSocket | null} */
let socket = null;
let attempt = 0;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let retry;
let opening = false;

/**
 * Subscribe to a topic until the returned function is called.
 * @param {string} topic e.g. `order/ord_...` or `orders`
 * @param {Subscription} subscription
 */
export function subscribe(topic, subscription) {
  const subscribers = topics.get(topic) ?? new Set();
  topics.set(topic, subscribers.add(subscription));
  if (socket?.readyState === WebSocket.OPEN) send(topic, subscription.since);
  else void open();
  return () => {
    subscribers.delete(subscription);
    if (subscribers.size || topics.get(topic) !== subscribers) return;
    topics.delete(topic);
    if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ unsubscribe: topic }));
    if (!topics.size) close();
  };
}

/**
 * Call `take` with each message of a topic while the component is shown.
 * @param {string | null} topic null for none
 * @param {(message: any) => void} take
 * @param {{since?: number, begun?: () => void}} [options] `begun`: read again what was read before the subscription
 *   stood
 */
export function useLive(topic, take, { since, begun } = {}) {
  const latest = useRef({ take, begun });
  latest.current = { take, begun };
  useEffect(
    () =>
      topic
        ? subscribe(topic, {
            since,
            take: (message) => latest.current.take(message),
            begun: () => latest.current.begun?.(),
          })
        : undefined,
    [topic],
  );
}

/** @param {string} topic @param {number | undefined} since */
function send(topic, since) {
  socket?.send(JSON.stringify(since === undefined ? { subscribe: topic } : { subscribe: topic, since }));
}

async function open() {
  if (opening || socket || !topics.size || !currentToken()) return;
  opening = true;
  clearTimeout(retry);
  liveState.set("connecting");
  try {
    const ticket = await post("live-tickets", undefined);
    const url = new URL(currentConfig().api.replace(/\/$/, "") + ticket.path, location.href);
    url.protocol = url.protocol.replace("http", "ws");
    url.searchParams.set("ticket", ticket.ticket);
    connect(new WebSocket(url));
  } catch (error) {
    if (error instanceof Problem && error.name === "LiveUpdatesUnavailable") liveState.set("unavailable");
    else again();
  } finally {
    opening = false;
  }
}

/** @param {WebSocket} opened */
function connect(opened) {
  socket = opened;
  opened.addEventListener("open", () => {
    attempt = 0;
    liveState.set("live");
    online.set(true);
    for (const [topic, subscribers] of topics) send(topic, oldest(subscribers));
  });
  opened.addEventListener("message", (event) => take(JSON.parse(event.data)));
  opened.addEventListener("close", () => {
    if (socket !== opened) return;
    socket = null;
    again();
  });
}

/** @param {Set<Subscription>} subscribers */
function oldest(subscribers) {
  const places = [...subscribers].map(({ since }) => since).filter((since) => since !== undefined);
  return places.length ? Math.min(...places) : undefined;
}

const GAPS = ["TooFarBehind", "NoSuchVersion"];

/** @param {any} message */
function take(message) {
  const subscribers = topics.get(message.topic ?? message.subscribed);
  if (!subscribers) return;
  if (message.error) {
    const problem = new Problem(409, String(message.error.type).split(":").pop() ?? "", message.error.detail);
    if (GAPS.includes(problem.name)) return beginAnew(message.topic, subscribers);
    for (const each of [...subscribers]) each.refused?.(problem);
    return;
  }
  const place = message.position ?? message.version;
  for (const each of [...subscribers]) {
    if (place !== undefined) each.since = Math.max(each.since ?? 0, place);
    if (!message.subscribed) each.take(message);
    else if (!each.isBegun) (each.isBegun = true), each.begun?.();
  }
}

/**
 * What was missed cannot be sent any more, or the log is another one: subscribe from now on, and read again what is
 * shown.
 * @param {string} topic
 * @param {Set<Subscription>} subscribers
 */
function beginAnew(topic, subscribers) {
  for (const each of subscribers) (each.since = undefined), (each.isBegun = false);
  send(topic, undefined);
}

/** Try again after a while that grows, with chance so that not all browsers return at once. */
function again() {
  if (!topics.size || !currentToken()) return void liveState.set("off");
  liveState.set("connecting");
  const wait = Math.min(15_000, 400 * 2 ** attempt) * (0.5 + Math.random() / 2);
  attempt += 1;
  clearTimeout(retry);
  retry = setTimeout(open, wait);
}

function close() {
  clearTimeout(retry);
  const closed = socket;
  socket = null;
  closed?.close();
  liveState.set("off");
}

/** A laptop that wakes, or a network that is back: look at once instead of after the wait. */
function wake() {
  if (!topics.size || document.visibilityState !== "visible") return;
  attempt = 0;
  if (!socket) void open();
  else if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ ping: 1 }));
}
addEventListener("online", wake);
addEventListener("offline", () => online.set(false));
document.addEventListener("visibilitychange", wake);
