/** The graph of the sagas. */

/** @param {any} _props */
export function Graph(_props) {
  return null;
}
