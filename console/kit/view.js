/** Preact and htm under one name, so that a page imports its tools from one place. */

import htm from "htm";
import { Component, h, render } from "preact";
import { useCallback, useEffect, useId, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";

export const html = htm.bind(h);

export { Component, h, render, useCallback, useEffect, useId, useLayoutEffect, useMemo, useRef, useState };

/**
 * Make a component that is drawn again only if one of its props is another value. For parts of which a page has many.
 * @param {(props: any) => any} component
 */
export function memo(component) {
  return class extends Component {
    /** @param {any} next */
    shouldComponentUpdate(next) {
      const before = /** @type {any} */ (this.props);
      for (const name in next) if (!Object.is(before[name], next[name])) return true;
      for (const name in before) if (!(name in next)) return true;
      return false;
    }

    /** @param {any} props */
    render(props) {
      return h(component, props);
    }
  };
}

/** Items of a long list that are compared and drawn together. */
const PART = 25;

/**
 * Divide a list, so that a change of the chosen item concerns the parts near it alone.
 * @template T
 * @param {T[]} list
 * @returns {T[][]}
 */
export const inParts = (list) =>
  Array.from({ length: Math.ceil(list.length / PART) }, (_, i) => list.slice(i * PART, (i + 1) * PART));

/**
 * On a phone a navigation is wider than the window: bring its current link into it.
 * @param {string} selector of the element that scrolls
 */
export function showCurrent(selector) {
  const nav = /** @type {HTMLElement | null} */ (document.querySelector(selector));
  const link = /** @type {HTMLElement | null | undefined} */ (nav?.querySelector("[aria-current]"));
  if (nav && link) nav.scrollLeft = link.offsetLeft - nav.offsetLeft - nav.clientWidth / 3;
}

/**
 * As a `ref`: what has just been drawn takes the focus, because the button that was pressed is gone.
 * @param {HTMLElement | null} element
 */
export const focused = (element) => element?.focus();

/** Join class names; false ones are left out. @param {...(string | false | null | undefined)} names */
export const classes = (...names) => names.filter(Boolean).join(" ");
