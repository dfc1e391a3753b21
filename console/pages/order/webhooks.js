/** What was sent to webhook endpoints about the order: each delivery with its attempts, and sending it again. */

import { isUndelivered, standing, versionOf } from "../../core/deliveries.js";
import { About, Attempts, Standing, resending } from "../../kit/deliveries.js";
import { get, useLoaded } from "../../kit/api.js";
import { Ago, Card, Countdown, Said, Trouble } from "../../kit/parts.js";
import { may } from "../../kit/session.js";
import { classes, html, memo, useEffect } from "../../kit/view.js";

/** Deliveries follow the events within a second; attempts that failed come again. */
const LOOK_AGAIN_MS = 3000;
const LONGEST_MS = 600_000;

/** @typedef {import("../../core/deliveries.js").Delivery} Delivery */

/**
 * Read the order's deliveries, and the endpoints that they went to; null for roles that may not.
 * @param {string} id
 * @param {number | undefined} version
 */
export function useDeliveries(id, version) {
  const loaded = useLoaded(
    async (signal) => {
      if (!may("read_webhooks") || !version) return null;
      const [sent, listed] = await Promise.all([
        get(`orders/${id}/webhook-deliveries`, { signal }),
        get("webhooks", { signal }),
      ]);
      return { deliveries: /** @type {Delivery[]} */ (sent.deliveries), endpoints: listed.webhooks };
    },
    [id, version],
  );
  const { data, reload } = loaded;
  const hasEndpoints = Boolean(data?.endpoints.length);
  const next = Math.min(
    ...(data?.deliveries ?? []).flatMap(({ status, next_try }) =>
      status === "pending" ? [next_try ? Date.parse(next_try) : 0] : [],
    ),
  );
  useEffect(() => {
    if (!hasEndpoints) return;
    const due = Number.isFinite(next) ? next - Date.now() : 0;
    const timer = setTimeout(reload, Math.min(LONGEST_MS, Math.max(LOOK_AGAIN_MS, due + LOOK_AGAIN_MS)));
    return () => clearTimeout(timer);
  }, [version, hasEndpoints, Number.isFinite(next) && data]);
  return loaded;
}

/**
 * @param {{data?: {deliveries: Delivery[], endpoints: any[]} | null, error: any, reload: () => void, version: number,
 *   act: (kind: any) => void}} props
 */
export function Webhooks({ data, error, reload, version, act }) {
  if (error) return html`<${Card} title="Webhooks"><${Trouble} problem=${error} retry=${reload} /></${Card}>`;
  if (!data?.endpoints.length) return null;
  return html`<${Listed}
    data=${data}
    version=${Math.max(0, ...data.deliveries.map(versionOf).filter((each) => each <= version))}
    act=${act}
  />`;
}

/** Drawn again only where the slider passes an event that was sent: `version` is the last one. */
const Listed = memo(({ data: { deliveries, endpoints }, version, act }) => {
  const row = (/** @type {Delivery} */ delivery) => html`<${Row}
    key=${delivery.id}
    delivery=${delivery}
    url=${endpoints.find((/** @type {any} */ each) => each.id === delivery.webhook)?.url}
    later=${versionOf(delivery) > version}
    send=${() => act(named(resending([delivery], endpoints)))}
  />`;
  const open = deliveries.filter((/** @type {Delivery} */ each) => each.status !== "delivered");
  const done = deliveries.filter((/** @type {Delivery} */ each) => each.status === "delivered");
  return html`<${Card} title="Webhooks" note=${standing(deliveries)} class="webhooks" flush>
    ${!deliveries.length && html`<p class="empty">Nothing was sent about this order in the last four days.</p>`}
    ${open.length > 0 && html`<ul class="deliveries">${open.map(row)}</ul>`}
    ${done.length > 0 && html`<details open=${!open.length && done.length <= 6}>
      <summary>${done.length} delivered</summary>
      <ul class="deliveries">${done.map(row)}</ul>
    </details>`}
  </${Card}>`;
});

/**
 * Return the offer to send all again that did not arrive; null without any.
 * @param {{deliveries: Delivery[], endpoints: any[]} | null | undefined} data
 */
export function resendOffer(data) {
  const failed = data?.deliveries.filter(isUndelivered) ?? [];
  if (!data || !failed.length) return null;
  const hosts = [
    ...new Set(failed.map(({ webhook }) => host(data.endpoints.find(({ id }) => id === webhook)?.url ?? webhook))),
  ];
  return {
    ...named(resending(failed, data.endpoints)),
    title: "Resend webhooks",
    needs: "resend_webhooks",
    note: `${standing(data.deliveries)}, ${hosts.join(", ")}`,
  };
}

/** @param {import("../../kit/action.js").ActionKind} kind */
const named = (kind) => ({ ...kind, name: "resend" });

/** @param {string} url */
const host = (url) => url.replace(/^https?:\/\//, "").replace(/[/?#].*$/, "");

/** @param {{delivery: Delivery, url: string | undefined, later: boolean, send: () => void}} props */
const Row = ({ delivery, url, later, send }) => html`<li class=${classes(later && "later")}>
  <div>
    <strong><${About} of=${delivery} /></strong> <${Standing} of=${delivery} />
    <span class="dim"><${Said}>${host(url ?? delivery.webhook)}</${Said}></span>
    <span class="dim">
      <${Attempts} of=${delivery.attempts} />
      ${delivery.attempts.length > 0 && html` <${Ago} at=${delivery.attempts[delivery.attempts.length - 1].at} />`}
      ${delivery.next_try && delivery.attempts.length > 0 && html`, next <${Countdown} until=${delivery.next_try} />`}
    </span>
  </div>
  ${may("resend_webhooks") && html`<button
    type="button"
    onClick=${send}
    aria-label=${`Send again: ${delivery.event.split("/")[1]}`}
  >
    Send again
  </button>`}
</li>`;
