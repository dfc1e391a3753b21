/** What can be done with the order now, by this role. Each is previewed, has a reason, and ends with what the log says. */

import { isZero, money } from "../../core/money.js";
import { ActionDialog } from "../../kit/action.js";
import { Card } from "../../kit/parts.js";
import { may, me } from "../../kit/session.js";
import { html, useState } from "../../kit/view.js";

/** @typedef {import("../../kit/action.js").ActionKind & {name: string, note: string, blocked?: string}} Offered */

const FAULTS = /** @type {[string, string][]} */ ([["platform", "the platform"], ["restaurant", "the restaurant"], ["courier", "the courier"], ["customer", "the customer"]]);

/** @param {any} props */
export function Actions({ id, order, why, past, reload }) {
  const [chosen, choose] = useState(/** @type {Offered | null} */ (null));
  const offered = actionsOf(id, order, why);
  if (!offered.length) return null;
  return html`<${Card} title="What you can do now" note=${past ? "acts on the live order" : ""} flush>
    <ul class="offers">${offered.map((each) => html`<li><div><strong>${each.title}</strong><span class="dim">${each.blocked ?? each.note}</span></div><button type="button" disabled=${Boolean(each.blocked)} onClick=${() => choose(each)} aria-label=${`${each.dry || each.plan ? "Preview" : "Open"}: ${each.title}`}>${each.dry || each.plan ? "Preview" : "Open"}</button></li>`)}</ul>
    ${chosen && html`<${ActionDialog} key=${chosen.name} kind=${chosen} close=${() => choose(null)} done=${reload} />`}
  </${Card}>`;
}

/** @param {string} id @param {any} order @param {any} why @returns {Offered[]} */
function actionsOf(id, order, why) {
  const ended = ["completed", "cancelled", "abandoned"].includes(order.status);
  const plans = why?.plans ?? {};
  const incident = `incidents/${id}`;
  /** @type {(Offered | false)[]} */
  const all = [
    order.parked && may("retry") && { name: "retry", title: "Retry", note: outcome(plans.retry), path: `${incident}/retry`, dry: true, order: id, body: (v) => ({ reason: v.reason }), blocked: plans.retry?.refused?.detail },
    ...(order.parked && may("resolve")
      ? [
          { name: "resolve-cancel", title: "Cancel and give back", note: outcome(plans.cancel), path: `${incident}/resolve`, dry: true, order: id, body: (/** @type {any} */ v) => ({ how: "cancel", reason: v.reason, fault: v.fault }), fields: [{ name: "fault", label: "At fault", options: FAULTS }], blocked: plans.cancel?.refused?.detail },
          ...(why?.owed ?? []).map((/** @type {any} */ owed) => ({ name: `write-off-${owed.intent}`, title: `Write off ${owed.holding} #${owed.intent}`, note: `${money(owed.amount)} is not pursued any more`, path: `${incident}/resolve`, dry: true, order: id, body: (/** @type {any} */ v) => ({ how: "write_off", intent: owed.intent, reason: v.reason, fault: v.fault }), fields: [{ name: "fault", label: "At fault", options: FAULTS }], blocked: plans[`write_off ${owed.intent}`]?.refused?.detail })),
          { name: "abandon", title: "Abandon", note: outcome(plans.abandon), path: `${incident}/resolve`, dry: true, order: id, body: (/** @type {any} */ v) => ({ how: "abandon", reason: v.reason, fault: v.fault }), fields: [{ name: "fault", label: "At fault", options: FAULTS }], blocked: plans.abandon?.refused?.detail },
        ]
      : []),
    ...(why?.approvals ?? []).filter((/** @type {any} */ a) => may("approve") && !(a.by.role === me.value?.role && a.by.id === me.value?.id))
      .map((/** @type {any} */ a) => ({ name: `approve-${a.approval}`, title: `Approve: ${a.action.replaceAll("_", " ")} ${money(a.amount)}`, note: `asked by ${a.by.id}: ${a.reason}`, path: `${incident}/approve`, dry: true, reason: null, order: id, body: () => ({ approval: a.approval }) })),
    ...reports(id, why),
    !order.parked && !ended && order.status !== "cancelling" && may("cancel") && { name: "cancel", title: "Cancel the order", note: plans.cancel ? outcome(plans.cancel) : "What is held is given back", path: `orders/${id}/cancel`, plan: plans.cancel, effect: "The order is cancelled and what is held or paid is given back. Possible until the meal is picked up.", order: id, body: (v) => ({ reason: v.reason }), blocked: plans.cancel?.refused?.detail },
    may("credit") && { name: "credit", title: "Grant a credit", note: "Less to pay, or money back", path: `orders/${id}/credits`, dry: true, order: id, fields: [{ name: "amount", label: `Amount in ${order.totals.total.currency}`, type: "number", step: "0.01" }, { name: "fault", label: "At fault", options: FAULTS }], body: (v) => ({ amount: { amount: v.amount, currency: order.totals.total.currency }, fault: v.fault, reason: v.reason }) },
    may("note") && { name: "note", title: "Add a note", note: "Seen by support alone", path: `${incident}/note`, effect: "The note becomes part of the order's history.", reason: "Note", order: id, body: (v) => ({ text: v.reason }) },
  ];
  return /** @type {Offered[]} */ (all.filter(Boolean)).map((each) => ({ ...each, since: order.version }));
}

/** The first thing that an action would do, for the list. @param {any} plan */
function outcome(plan) {
  if (!plan) return "";
  const moves = plan.money.filter((/** @type {any} */ m) => !isZero(m.amount)).map((/** @type {any} */ m) => `${m.what.replaceAll("_", " ")} ${money(m.amount)}`);
  return moves.length ? `${moves.join(", ")}, then ${plan.status.replaceAll("_", " ")}` : `No money moves; then ${plan.status.replaceAll("_", " ")}`;
}

const REPORTS = /** @type {Record<string, Omit<Offered, "name" | "path" | "order" | "note"> & {needs: string}>} */ ({
  "preparation/accept": { title: "Restaurant accepted", needs: "accept", fields: [{ name: "minutes", label: "Ready in minutes", value: "20", type: "number" }], body: (v) => ({ ready_at: new Date(Date.now() + Number(v.minutes) * 60_000).toISOString() }), reason: null, effect: "Recorded as the restaurant's answer, with your name." },
  "preparation/reject": { title: "Restaurant rejected", needs: "reject", body: (v) => ({ reason: v.reason }), effect: "The order is cancelled and the payment is given back." },
  "preparation/ready": { title: "Meal is ready", needs: "ready", body: () => ({}), reason: null, effect: "Recorded as the restaurant's report, with your name." },
  "delivery/assign": { title: "Courier took the delivery", needs: "assign", fields: [{ name: "courier", label: "Courier" }], body: (v) => ({ courier_id: v.courier }), reason: null, effect: "Recorded as the courier's answer, with your name." },
  "delivery/pick-up": { title: "Meal was picked up", needs: "pick_up", body: () => ({}), reason: null, effect: "From the pickup on the order goes forward only." },
  "delivery/deliver": { title: "Meal was delivered", needs: "deliver", body: () => ({}), reason: null, effect: "The payment is captured and the order completes." },
  "delivery/fail": { title: "Delivery failed", needs: "fail", fields: [{ name: "fault", label: "At fault", options: FAULTS }], body: (v) => ({ reason: v.reason, fault: v.fault }), effect: "The delivery ends; what the customer paid is given back as the fault demands." },
});

/** Reports that end a wait of the order. @param {string} id @param {any} why @returns {Offered[]} */
function reports(id, why) {
  const names = [...new Set((why?.waits ?? []).flatMap((/** @type {any} */ wait) => wait.reports))];
  return names.filter((name) => REPORTS[name] && may(REPORTS[name].needs)).map((name) => ({ ...REPORTS[name], name, note: "Ends the wait", path: `orders/${id}/${name}`, order: id }));
}
