/** Lists follow the log a moment later: what was read meanwhile is read again until it has all that the log had. */

import { useEffect, useRef } from "./view.js";

/**
 * The views mostly follow within this time. Each further wait is twice as long, so that a long delay costs few
 * requests.
 */
const FIRST_MS = 300;
const LONGEST_MS = 10_000;

/**
 * Read again while an answer says that something is not in it.
 * @param {any} answer of the API: a list with `as_of`, or the state of the views; any other is read once
 * @param {() => void} reload
 */
export function useCatchUp(answer, reload) {
  const wait = useRef(FIRST_MS);
  useEffect(() => {
    const age = answer?.as_of ?? answer;
    if (!age?.lag_commits && age?.complete !== false && age?.includes !== false) return void (wait.current = FIRST_MS);
    const timer = setTimeout(reload, wait.current);
    wait.current = Math.min(LONGEST_MS, 2 * wait.current);
    return () => clearTimeout(timer);
  }, [answer]);
}
