/**
 * What can be done with the order now, by this person: pure, from the order, `GET /orders/{id}/why`, its events and
 * `GET /me`.
 */

import { isZero, money } from "../../core/money.js";
import { heldWords, words } from "../../core/values.js";
import { FAULT, reportsOf } from "./reports.js";

/**
 * @typedef {import("../../kit/action.js").ActionKind & {name: string, note: string, needs: string, blocked?: string,
 *   href?: string}} Offered `needs` is the permission; `href` the page on which it is done
 */
/** @typedef {import("../../kit/session.js").Me} Me */
/**
 * @typedef {{id: string, order: any, why: any, events: any[], plans: Record<string, any>, assignee: string, me: Me}}
 *   Situation
 */

/**
 * Return what is offered: what helps first, what is refused now last, and below it the reports that are not awaited.
 * @param {{id: string, order: any, why: any, events: any[], me: Me, resend: Offered | null}} page `resend` sends
 *   webhooks again
 * @returns {{offers: Offered[], others: Offered[]}}
 */
export function offersOf({ id, order, why, events, me, resend }) {
  const ended = ["completed", "cancelled", "abandoned"].includes(order.status);
  const assignee = events.findLast((event) => event.type === "IncidentAssigned")?.data.to ?? "";
  const now = { id, order, why, events, plans: why?.plans ?? {}, assignee, me };
  const reports = reportsOf(id, order, why);
  const all = [
    ...requests(now),
    ...circuits(now),
    ...(leadsOn(now.plans.retry) ? [] : reports.awaited),
    ...(order.parked ? [...repairs(now), claim(now)] : []),
    ...(leadsOn(now.plans.retry) ? reports.awaited : []),
    ...(order.parked || ended || order.status === "cancelling" ? [] : [cancel(now)]),
    credit(now),
    ...(resend ? [resend] : []),
    refundExtra(now),
    note(id),
  ];
  const allowed = (/** @type {Offered[]} */ each) =>
    each
      .filter(({ needs }) => me.may.some(({ action }) => action === needs))
      .map((one) => ({ ...one, since: order.version }));
  const offers = allowed(all);
  return {
    offers: [...offers.filter(({ blocked }) => !blocked), ...offers.filter(({ blocked }) => blocked)],
    others: allowed(reports.others),
  };
}

/** Whether a new run would do something: if not, the API names what helps instead. @param {any} plan */
const leadsOn = (plan) => Boolean(plan && !plan.refused && !plan.instead.length);

/** Where calls are stopped: the page on which they are started again. @param {Situation} now @returns {any[]} */
const circuits = ({ why }) =>
  (why?.waits ?? [])
    .filter((/** @type {any} */ wait) => wait.what === "circuit")
    .map((/** @type {any} */ wait) => ({
      name: `circuit ${wait.dependency}`,
      title: `Start calls to ${wait.dependency} again`,
      note: "For all orders that wait, on the page Circuits",
      needs: "set_circuit",
      path: "",
      body: () => ({}),
      href: "circuits",
    }));

/** What ends an incident: each action that the API has a plan for. @param {Situation} now @returns {Offered[]} */
function repairs({ id, why, plans, events }) {
  /** A way to resolve it: the name of its plan, its title, what it sends. @returns {Offered} */
  const resolve = (
    /** @type {string} */ plan,
    /** @type {string} */ title,
    /** @type {Record<string, any>} */ sent,
    hasFault = true,
  ) => ({
    name: plan,
    title,
    note: outcome(plan, plans[plan]),
    needs: "resolve",
    path: `incidents/${id}/resolve`,
    dry: true,
    order: id,
    blocked: plans[plan]?.refused?.detail,
    fields: hasFault ? [FAULT] : [],
    body: (v) => ({ ...sent, reason: v.reason, ...(hasFault && { fault: v.fault }) }),
  });
  const numbers = (/** @type {string} */ action) =>
    Object.keys(plans)
      .filter((name) => name.startsWith(`${action} `))
      .map((name) => Number(name.split(" ")[1]));
  /** @type {Offered[]} */
  const all = [
    {
      name: "retry",
      title: "Retry",
      note: leadsOn(plans.retry)
        ? outcome("retry", plans.retry)
        : `${plans.retry?.runs.length ? "" : "Only waits again. "}${outcome("retry", plans.retry)}`,
      needs: "retry",
      path: `incidents/${id}/retry`,
      dry: true,
      order: id,
      body: (v) => ({ reason: v.reason }),
      blocked: plans.retry?.refused?.detail,
    },
    ...numbers("confirm_report").map((report) =>
      resolve(
        `confirm_report ${report}`,
        `Confirm the report of event ${report}${worded(report, events)}`,
        { how: "confirm_report" },
        false,
      ),
    ),
    resolve("cancel", "Cancel and give back", { how: "cancel" }),
    ...numbers("write_off").map((intent) =>
      resolve(`write_off ${intent}`, `Write off ${standsFor(intent, why, events)}`, { how: "write_off", intent }),
    ),
    resolve("abandon", "Abandon the order, undo nothing", { how: "abandon" }),
  ];
  return all.filter(({ name }) => plans[name]);
}

/** @param {Situation} now @returns {Offered} */
function claim({ id, assignee, me }) {
  const mine = assignee === me.id;
  return {
    name: "claim",
    title: mine ? "Release the incident" : "Take the incident on",
    note: assignee ? `${mine ? "You are" : `${assignee} is`} at it` : "Nobody is at it",
    needs: "assign_incident",
    path: `incidents/${id}/assign`,
    dry: true,
    effect: mine
      ? "Colleagues see that it is free again."
      : "Colleagues see that you work on it, and can still act on it.",
    order: id,
    body: (v) => ({ to: mine ? null : me.id, reason: v.reason }),
  };
}

/** Requests that wait for a second person. @param {Situation} now @returns {Offered[]} */
function requests({ id, why, me }) {
  return (why?.approvals ?? []).flatMap((/** @type {any} */ asked) => {
    const own = asked.by.role === me.role && asked.by.id === me.id;
    const what = `${words(asked.action)} ${money(asked.amount)}`;
    const common = { dry: true, order: id };
    /** @type {Offered[]} */
    const offered = [
      {
        ...common,
        name: `reject-${asked.approval}`,
        title: `${own ? "Withdraw" : "Reject"}: ${what}`,
        note: "It has no effect then",
        needs: "reject_request",
        path: `incidents/${id}/reject`,
        body: (v) => ({ approval: asked.approval, reason: v.reason }),
      },
    ];
    if (!own)
      offered.unshift({
        ...common,
        name: `approve-${asked.approval}`,
        title: `Approve: ${what}`,
        note: `asked by ${asked.by.id}: ${asked.reason}`,
        needs: "approve",
        path: `incidents/${id}/approve`,
        body: (v) => ({ approval: asked.approval, reason: v.reason }),
      });
    return offered;
  });
}

/** @param {Situation} now @returns {Offered} */
const cancel = ({ id, plans }) => ({
  name: "cancel",
  title: "Cancel the order",
  note: plans.cancel ? outcome("cancel", plans.cancel) : "What is held is given back",
  needs: "cancel",
  path: `orders/${id}/cancel`,
  dry: true,
  effect: "Possible until the meal is picked up.",
  order: id,
  body: (v) => ({ reason: v.reason }),
  blocked: plans.cancel?.refused?.detail,
});

/** @param {Situation} now @returns {Offered} */
const credit = ({ id, order }) => ({
  name: "credit",
  title: "Grant a credit",
  note: "Less to pay, or money back",
  needs: "credit",
  path: `orders/${id}/credits`,
  dry: true,
  order: id,
  fields: [{ name: "amount", label: `Amount in ${order.totals.total.currency}`, type: "number", step: "0.01" }, FAULT],
  body: (v) => ({
    amount: { amount: v.amount, currency: order.totals.total.currency },
    fault: v.fault,
    reason: v.reason,
  }),
});

/** A payment that the provider took without the order. @param {Situation} now @returns {Offered} */
const refundExtra = ({ id, order }) => ({
  name: "refund-extra",
  title: "Refund a payment taken twice",
  note: "One that is only in the provider's books",
  needs: "refund_extra",
  path: `orders/${id}/extra-captures`,
  dry: true,
  order: id,
  effect: "The provider is asked first. It is refunded if the provider took that amount for this order.",
  fields: [
    { name: "capture_id", label: "The provider's id of the payment" },
    { name: "amount", label: `Amount in ${order.totals.total.currency}`, type: "number", step: "0.01" },
  ],
  body: (v) => ({
    capture_id: v.capture_id,
    amount: { amount: v.amount, currency: order.totals.total.currency },
    reason: v.reason,
  }),
});

/** @param {string} id @returns {Offered} */
export const note = (id) => ({
  name: "note",
  title: "Add a note",
  note: "Seen by support alone",
  needs: "note",
  path: `incidents/${id}/note`,
  dry: true,
  reason: "Note",
  order: id,
  body: (v) => ({ text: v.reason }),
});

/**
 * What an intent stands for: what it holds and how much, or what was asked for.
 * @param {number} intent
 * @param {any} why
 * @param {any[]} events
 */
function standsFor(intent, why, events) {
  const owed = (why?.owed ?? []).find((/** @type {any} */ each) => each.intent === intent);
  return owed
    ? `the ${heldWords(owed, events)}${owed.amount ? ` of ${money(owed.amount)}` : ""} (event ${intent})`
    : `event ${intent}${worded(intent, events)}`;
}

/** The words of an event, to stand behind its number. @param {number} number @param {any[]} events */
const worded = (number, events) => {
  const found = events.find(({ version }) => version === number)?.words;
  return found ? `: ${found}` : "";
};

const DOES = /** @type {Record<string, string>} */ ({
  authorize: "repeats the authorization of", capture: "captures", release: "releases", refund: "refunds",
  leave_held: "leaves held", give_up: "gives up", credit: "credits",
});
const ENDS = /** @type {Record<string, string>} */ ({
  abandoned: "ends as abandoned",
  cancelled: "ends as cancelled",
  completed: "ends as completed",
  cancelling: "ends as cancelled",
});

/**
 * What an action would do to the money and the order, for the list.
 * @param {string} name of the action
 * @param {any} plan
 * @returns {string}
 */
function outcome(name, plan) {
  if (!plan) return "";
  if (plan.second_person_for) {
    const then = plan.once_approved && !plan.once_approved.refused ? outcome(name, plan.once_approved) : "";
    return `A second person has to approve ${money(plan.second_person_for)}${then && `. ${then}`}`;
  }
  if (!plan.events.length) return "Has no effect now";
  const moves = plan.money
    .filter((/** @type {any} */ m) => !isZero(m.amount))
    .map((/** @type {any} */ m) => `${DOES[m.what] ?? words(m.what)} ${money(m.amount)}`);
  const end = ENDS[plan.status] ?? (name.startsWith("write_off") ? `stays ${words(plan.status)}` : "continues");
  const releases = end === ENDS.cancelled && plan.money.some((/** @type {any} */ m) => m.what === "authorize");
  const does = `${moves.join(", ") || "no money moves"}${releases ? " and releases what is held" : ""}`;
  return `${does[0].toUpperCase()}${does.slice(1)}; then the order ${end}`;
}
