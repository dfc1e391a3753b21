/** A value that many components show: read it with `useStore`, and every reader is drawn again when it changes. */

import { useEffect, useState } from "./view.js";

/** @template T */
export class Store {
  /** @param {T} value */
  constructor(value) {
    this.value = value;
    /** @type {Set<(value: T) => void>} */
    this.listeners = new Set();
  }

  /** @param {T} value */
  set(value) {
    if (Object.is(value, this.value)) return;
    this.value = value;
    for (const listener of [...this.listeners]) listener(value);
  }
}

/** @template T @param {Store<T>} store @returns {T} */
export function useStore(store) {
  const [value, show] = useState(store.value);
  useEffect(() => {
    show(() => store.value);
    const listener = (/** @type {T} */ changed) => show(() => changed);
    store.listeners.add(listener);
    return () => void store.listeners.delete(listener);
  }, [store]);
  return value;
}
