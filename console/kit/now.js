/** One clock for all countdowns: it ticks once a second while something shows it, and sleeps with the page. */

import { useEffect, useState } from "./view.js";

/** @type {Set<(now: number) => void>} */
const watchers = new Set();
/** @type {ReturnType<typeof setInterval> | undefined} */
let timer;

function tick() {
  const now = Date.now();
  for (const watcher of [...watchers]) watcher(now);
}

/** Return the time in milliseconds since 1970, again each second. */
export function useNow() {
  const [now, show] = useState(Date.now());
  useEffect(() => {
    watchers.add(show);
    timer ??= setInterval(tick, 1000);
    return () => {
      watchers.delete(show);
      if (!watchers.size) timer = void clearInterval(timer);
    };
  }, []);
  return now;
}
