/** What is read is read again by itself: while it lacks what the log has already, and after a problem that passes. */

import { isPassing } from "../core/problems.js";
import { lacks } from "../core/reading.js";
import { useEffect, useRef } from "./view.js";

/** The views mostly follow within this time. Each further wait is twice as long: a long delay costs few requests. */
const FIRST_MS = 300;
const LONGEST_MS = 10_000;

/**
 * @param {any} answer of the API: a list with `as_of`, or the state of the views; any other is whole
 * @param {any} problem of the last request; null if it was answered
 * @param {() => void} reload
 * @param {(answer: any) => unknown} [isLacking] whether something is not in the answer yet
 */
export function useCatchUp(answer, problem, reload, isLacking = lacks) {
  const wait = useRef(FIRST_MS);
  useEffect(() => {
    if (problem ? !isPassing(problem) : !isLacking(answer)) return void (wait.current = FIRST_MS);
    const timer = setTimeout(reload, wait.current);
    wait.current = Math.min(LONGEST_MS, 2 * wait.current);
    return () => clearTimeout(timer);
  }, [answer, problem]);
}
