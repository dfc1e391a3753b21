/** The console's own addresses: a path below its base, and a query that holds every filter. */

/** @typedef {{path: string, query: Record<string, string>}} Address */

/**
 * Read an address.
 * @param {string} url a path with query, e.g. `/console/orders?status=placed`
 * @param {string} base e.g. `/console/`
 * @returns {Address}
 */
export function readAddress(url, base) {
  const [path, search = ""] = url.split("#")[0].split("?");
  const below = path.startsWith(base) ? path.slice(base.length) : path.replace(/^\//, "");
  return { path: below.replace(/\/$/, ""), query: Object.fromEntries(new URLSearchParams(search)) };
}

/**
 * Write an address. Empty filters are left out, so that one view has one address.
 * @param {string} path
 * @param {Record<string, string | number | boolean | null | undefined>} [query]
 */
export function address(path, query = {}) {
  const set = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== "");
  const search = new URLSearchParams(set.map(([name, value]) => [name, String(value)])).toString();
  return search ? `${path}?${search}` : path;
}

/**
 * Find the page of a path. A pattern has names for parts: `orders/:id`.
 * @template T
 * @param {[string, T][]} patterns
 * @param {string} path
 * @returns {{page: T, names: Record<string, string>} | null}
 */
export function findPage(patterns, path) {
  const parts = path.split("/");
  for (const [pattern, page] of patterns) {
    const wanted = pattern.split("/");
    if (wanted.length !== parts.length) continue;
    /** @type {Record<string, string>} */
    const names = {};
    const fits = wanted.every((part, index) => {
      if (!part.startsWith(":")) return part === parts[index];
      try {
        names[part.slice(1)] = decodeURIComponent(parts[index]);
      } catch {
        return false;
      }
      return parts[index] !== "";
    });
    if (fits) return { page, names };
  }
  return null;
}

/**
 * Return the page of an execution in the console of AWS; empty for an engine that runs elsewhere, and for Express
 * executions.
 * @param {string} arn
 */
export function awsPage(arn) {
  const [, region] = arn.match(/^arn:aws:states:([a-z]+-[a-z-]+-\d):\d{12}:execution:/) ?? [];
  return region
    ? `https://${region}.console.aws.amazon.com/states/home?region=${region}#/v2/executions/details/${arn}`
    : "";
}
