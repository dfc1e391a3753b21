/** JSON Patch (RFC 6902), as the server writes it: add, remove, replace. The browser applies, it does not fold. */

/** @typedef {{op: string, path: string, value?: any}} Operation */

/**
 * Apply a patch and return the new document. What does not change is shared with the old one.
 * @param {any} document
 * @param {Operation[]} patch
 */
export function applyPatch(document, patch) {
  return patch.reduce((current, operation) => changed(current, readPointer(operation.path), operation), document);
}

/** @param {string} pointer @returns {string[]} */
export function readPointer(pointer) {
  if (pointer === "") return [];
  return pointer.slice(1).split("/").map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
}

/** @param {any} node @param {string[]} path @param {Operation} operation @returns {any} */
function changed(node, path, operation) {
  if (!path.length) return operation.op === "remove" ? null : operation.value;
  const [name, ...rest] = path;
  if (Array.isArray(node)) {
    const copy = [...node];
    const index = name === "-" ? copy.length : Number(name);
    if (rest.length) copy[index] = changed(copy[index], rest, operation);
    else if (operation.op === "remove") copy.splice(index, 1);
    else if (operation.op === "add") copy.splice(index, 0, operation.value);
    else copy[index] = operation.value;
    return copy;
  }
  const copy = { ...node };
  if (!rest.length && operation.op === "remove") delete copy[name];
  else copy[name] = rest.length ? changed(copy[name], rest, operation) : operation.value;
  return copy;
}

/** Return the value at a pointer; undefined if there is none. @param {any} document @param {string} pointer */
export function valueAt(document, pointer) {
  return readPointer(pointer).reduce(
    (node, part) => (node === null || node === undefined ? undefined : node[part]),
    document,
  );
}
