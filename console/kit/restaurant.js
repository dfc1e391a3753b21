/**
 * The name and the address of a restaurant from the catalogue. Until they are read, and for a restaurant without an
 * entry, the name is the id.
 */

import { get, quoted } from "./api.js";
import { useEffect, useState } from "./view.js";

/** @typedef {{name: string, address: string}} Place */

/** @type {Map<string, Promise<Place>>} */
const known = new Map();

/** @param {string} id @returns {Promise<Place>} */
const load = (id) =>
  get(`restaurants/${quoted(id)}`)
    .then(({ profile }) => profile)
    .catch(() => (known.delete(id), { name: id, address: "" }));

/** @param {string} id @returns {Place} */
export function useRestaurant(id) {
  const [place, show] = useState(/** @type {Place} */ ({ name: id, address: "" }));
  useEffect(() => {
    const loading = known.get(id) ?? load(id);
    known.set(id, loading);
    void loading.then(show);
  }, [id]);
  return place;
}
