/** Problems of the API (RFC 9457) and of the network as a plain message with what to do next. */

export class Problem extends Error {
  /**
   * @param {number} status the HTTP status; 0 if no answer came
   * @param {string} name the rule's name, e.g. `OrderNotFound`
   * @param {string} detail the sentence of the API
   * @param {{field: string, problem: string}[]} [errors]
   */
  constructor(status, name, detail, errors = []) {
    super(detail);
    this.status = status;
    this.name = name;
    this.errors = errors;
  }

  /** What the reader can do now. */
  get next() {
    return nextStep(this.status, this.name);
  }
}

/**
 * Read an error response.
 * @param {number} status
 * @param {any} body
 * @returns {Problem}
 */
export function readProblem(status, body) {
  const type = typeof body?.type === "string" ? body.type : "";
  const name = type.split(":").pop()?.split("/").pop() || `HTTP ${status}`;
  const detail = typeof body?.detail === "string" ? body.detail : (body?.title ?? `The engine answered ${status}.`);
  const errors = Array.isArray(body?.errors)
    ? body.errors.filter((/** @type {any} */ e) => e && typeof e.field === "string")
    : [];
  return new Problem(status, name === "about:blank" || name === "blank" ? `HTTP ${status}` : name, detail, errors);
}

/**
 * Whether a problem is a fault of the engine, or of what it has stored, and not one of the request or of the moment.
 * @param {any} problem
 */
export const isFault = (problem) => problem?.status === 500;

/** Problems of 503 that stay until somebody changes something: the search, or the deployment. */
const LASTING = new Set(["SearchTooSlow", "NoViewsDatabase", "NoExports", "QueriesUnavailable"]);

/** Whether the same request may be answered a moment later. @param {any} problem */
export const isPassing = (problem) => [429, 503].includes(problem?.status) && !LASTING.has(problem.name);

/** Whether a problem reports that stored data was changed after it was written. @param {string} name */
export const isDamage = (name) => name === "ChainBroken" || name === "Undecodable";

/** @param {number} status @param {string} name */
function nextStep(status, name) {
  if (name === "Unsent") return "Check that the engine runs, then try again.";
  if (status === 0) return "Check that the engine runs; the console tries again by itself.";
  if (status === 401) return "Log in again: run expediter console, or paste a new token.";
  if (status === 403) return "Ask a colleague whose role may do this.";
  if (status === 404) return "Check the id. It may also be one that your role may not see.";
  if (status === 412 || name === "WrongExpectedVersion")
    return "The order changed meanwhile. Look at it again, then repeat.";
  if (status === 409) return "The order's state does not allow this now. The order page shows what it waits for.";
  if (status === 422 || status === 400) return "Correct what is named and send it again.";
  if (status === 429 || status === 503) return "Wait a moment and try again.";
  if (isDamage(name)) return "Trying again does not help: a person has to look at the order.";
  if (status >= 500) return "Try again. If it fails again, send support this text: the cause is in the engine's log.";
  return "";
}
