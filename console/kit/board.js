/** A list of a board: read again after each change of an order, once the views include it. */

import { get, useLoaded } from "./api.js";
import { useLive } from "./live.js";
import { useCallback, useState } from "./view.js";

/** How long the views take to follow a change that names no version. */
const FOLLOW_MS = 300;

/**
 * @param {string} path
 * @param {Record<string, any>} query
 * @param {string} topic of the changes
 */
export function useBoardList(path, query, topic) {
  const [newest, include] = useState("");
  const list = useLoaded((signal) => get(path, { query: { ...query, wait_for: newest }, signal }), [newest]);
  /** Read the list again, with this version of an order. */
  const changed = useCallback((/** @type {{id: string, version?: number}} */ order) => void (order?.version ? include(`${order.id}:${order.version}`) : setTimeout(list.reload, FOLLOW_MS)), []);
  useLive(topic, (message) => changed({ id: message.order_id, version: message.version }));
  return { ...list, changed };
}
