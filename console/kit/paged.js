/**
 * A list that is read page by page as its reader scrolls. `first` is the first page as it was answered, with its
 * totals.
 */

import { get, useReading } from "./api.js";
import { useCatchUp } from "./catch_up.js";
import { useCallback, useRef, useState } from "./view.js";

/**
 * @param {string} path
 * @param {string} name the field of the answer that holds the rows
 * @param {Record<string, any>} query
 * @param {(cursor: string | null) => Promise<any>} [load] in place of a GET, for searches in a body
 * @param {boolean} [held] whether its reader holds it still
 */
export function usePaged(path, name, query, load, held = false) {
  const [state, show] = useState({
    rows: /** @type {any[]} */ ([]),
    next: /** @type {string | null} */ (null),
    asOf: /** @type {any} */ (null),
    first: /** @type {any} */ (null),
    problem: /** @type {any} */ (null),
    loading: true,
  });
  const reading = useRef(false);
  const key = JSON.stringify([path, query, load ? 1 : 0]);
  const page = useCallback(
    (/** @type {string | null} */ cursor, /** @type {AbortSignal} */ signal) =>
      load ? load(cursor) : get(path, { query: { limit: 50, ...query, cursor }, signal }),
    [key],
  );
  const reload = useReading((signal) => {
    show((before) => ({ ...before, loading: true }));
    return page(null, signal).then(
      (found) =>
        void (
          signal.aborted ||
          show({ rows: found[name], next: found.next, asOf: found.as_of, first: found, problem: null, loading: false })
        ),
      (problem) => void (signal.aborted || show((before) => ({ ...before, problem, loading: false }))),
    );
  }, [page]);
  const more = useCallback(() => {
    if (!state.next || reading.current) return;
    reading.current = true;
    page(state.next, new AbortController().signal)
      .then(
        (found) =>
          show((before) =>
            before.next === state.next
              ? { ...before, rows: [...before.rows, ...found[name]], next: found.next }
              : before,
          ),
        (problem) => show((before) => ({ ...before, problem })),
      )
      .finally(() => (reading.current = false));
  }, [page, state.next]);
  /** Read the list to its end, or until it has `most` rows; they are shown as well. */
  const all = async (/** @type {number} */ most) => {
    let { rows, next } = state;
    while (next && rows.length < most) {
      const found = await page(next, new AbortController().signal);
      rows = [...rows, ...found[name]];
      next = found.next;
    }
    show((before) => ({ ...before, rows, next }));
    return rows;
  };
  // a reader of further pages is not thrown back to the first, and a search for personal data is recorded each time
  const still = held || load || state.rows.length > state.first?.[name].length;
  useCatchUp(still ? null : state.first, still ? null : state.problem, reload);
  return { ...state, all, more: state.next ? more : undefined, reload, change: show };
}
