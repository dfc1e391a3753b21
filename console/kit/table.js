/** A table for lists of any length: only the rows near the window are in the page. Rows have one height. */

import { classes, html, useEffect, useRef, useState } from "./view.js";

/** Pixels; the style sheet has the same number as --row. */
const ROW = 44;
const BEYOND = 12;
/** Rows that are drawn wherever the table stands: a list that short is no work, and is whole on paper. */
const ALWAYS = 60;

/**
 * @template T
 * @typedef {object} Column
 * @property {any} label
 * @property {(row: T) => any} cell
 * @property {"end"} [align]
 * @property {boolean} [wide] takes what is left
 * @property {boolean} [late] left out on a narrow screen
 */

/**
 * @template T
 * @param {{label: string, columns: Column<T>[], rows: T[], id: (row: T) => string, more?: () => void, hot?: (row: T) =>
 *   boolean, empty?: any}} props
 */
export function Table({ label, columns, rows, id, more, hot, empty }) {
  const body = useRef(/** @type {HTMLElement | null} */ (null));
  const [from, to] = useWindow(body, rows.length);
  const whole = rows.length <= ALWAYS;
  const [first, last] = whole ? [0, rows.length] : [Math.min(from, rows.length - 1), Math.min(to, rows.length)];
  useEffect(() => {
    if (more && to >= rows.length) more();
  }, [to, rows.length, more]);
  if (!rows.length) return empty ?? null;
  return html`<div class="table-box" role="region" aria-label=${label} tabindex="0">
    <table aria-rowcount=${rows.length + 1}>
      <thead>
        <tr>${columns.map((column) => html`<th scope="col" class=${cell(column)}>${column.label}</th>`)}</tr>
      </thead>
      <tbody ref=${body}>
        ${first > 0 && html`<tr aria-hidden="true" class="spacer" style=${{ height: `${first * ROW}px` }}></tr>`}
        ${rows.slice(first, last).map((row, index) => html`<tr
          key=${id(row)}
          aria-rowindex=${first + index + 2}
          class=${classes("row", hot?.(row) && "hot")}
        >
          ${columns.map((column) => html`<td class=${cell(column)}>${column.cell(row)}</td>`)}
        </tr>`)}
        ${last < rows.length && html`<tr
          aria-hidden="true"
          class="spacer"
          style=${{ height: `${(rows.length - last) * ROW}px` }}
        ></tr>`}
      </tbody>
    </table>
  </div>`;
}

/** @param {Column<any>} column */
const cell = (column) => classes(column.align === "end" && "end", column.wide && "wide", column.late && "late");

/**
 * Return the first row that is near the window, and the one after the last, whether the table has so many or not.
 * @param {{current: HTMLElement | null}} body
 * @param {number} count
 * @returns {[number, number]}
 */
function useWindow(body, count) {
  const [near, show] = useState(() => /** @type {[number, number]} */ ([0, Math.ceil(innerHeight / ROW) + BEYOND]));
  useEffect(() => {
    let planned = 0;
    const look = () => {
      planned = 0;
      const top = body.current?.getBoundingClientRect().top ?? 0;
      const from = Math.max(0, Math.floor(-top / ROW) - BEYOND);
      const to = Math.max(0, Math.ceil((innerHeight - top) / ROW) + BEYOND);
      show((before) => (before[0] === from && before[1] === to ? before : [from, to]));
    };
    const plan = () => void (planned ||= requestAnimationFrame(look));
    look();
    addEventListener("scroll", plan, { passive: true });
    addEventListener("resize", plan, { passive: true });
    const moved = new ResizeObserver(plan); // what stands above a table moves it when it is loaded
    moved.observe(document.body);
    return () => {
      cancelAnimationFrame(planned);
      moved.disconnect();
      removeEventListener("scroll", plan);
      removeEventListener("resize", plan);
    };
  }, [count]);
  return near;
}
