/** The filters of the event log, as the API applies them, for events that arrive live. */

/**
 * Read types of events as a person types them, with commas or spaces between.
 * @param {string | undefined} types
 * @returns {string[]}
 */
export const typesOf = (types) => (types ?? "").split(/[\s,]+/).filter(Boolean);

/**
 * Count the events of a live message that the filters let through.
 * @param {{order_id: string, order?: {customer?: string, restaurant?: string}, events?: any[]}} message
 * @param {Record<string, string>} filters
 */
export function countFitting(message, filters) {
  const { order = {} } = message;
  const fits = (/** @type {string | undefined} */ wanted, /** @type {string | undefined} */ is) =>
    !wanted || wanted === is;
  if (
    !fits(filters.order, message.order_id) ||
    !fits(filters.customer, order.customer) ||
    !fits(filters.restaurant, order.restaurant)
  )
    return 0;
  const types = typesOf(filters.type);
  const at = (/** @type {string} */ instant) => Date.parse(instant);
  return (message.events ?? []).filter(
    (event) =>
      (!types.length || types.includes(event.type)) &&
      fits(filters.correlation, event.correlation) &&
      fits(filters.actor_role, event.actor.role) &&
      !(filters.people_only === "true" && event.actor.role === "system") &&
      !(filters.recorded_from && at(event.recorded_at) < at(filters.recorded_from)) &&
      !(filters.recorded_to && at(event.recorded_at) >= at(filters.recorded_to)),
  ).length;
}
