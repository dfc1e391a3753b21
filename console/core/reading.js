/** When something is read again. */

/** A read that takes longer is given up for the next one. A gateway gives up after 30 s too. */
const LONGEST_MS = 30_000;

/**
 * Return a function that reads. Called while it reads, it reads once more afterwards: whoever calls it more often than
 * answers come gets answers nevertheless.
 * @param {(signal: AbortSignal) => Promise<void>} read
 * @param {AbortSignal} signal
 */
export function oneAtATime(read, signal) {
  let began = 0; // 0 while nothing is read
  let again = false;
  let abort = new AbortController();
  const begin = () => {
    if (signal.aborted) return;
    if (began && Date.now() - began < LONGEST_MS) return void (again = true);
    abort.abort();
    const mine = (abort = new AbortController());
    began = Date.now();
    again = false;
    const end = () => void (mine === abort && ((began = 0), again && begin()));
    void read(AbortSignal.any([signal, mine.signal])).then(end, end);
  };
  return begin;
}

/**
 * Whether a list lacks what the log has. One that has all of it, without a version that was waited for, never will have
 * that: its reader may not see the order any more, or its stream is set aside.
 * @param {any} answer a list with `as_of`, or the state of the views; any other lacks nothing
 */
export function lacks(answer) {
  const { complete, includes, lag_commits: lag } = answer?.as_of ?? answer ?? {};
  return complete === false || (lag ?? Number(includes === false)) > 0;
}
