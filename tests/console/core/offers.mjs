// Answers, line by line, whether the console's page of an order offers a request, and as what.
import { createInterface } from "node:readline";
import { isDeepStrictEqual } from "node:util";

import { offersOf } from "../../../console/pages/order/offers.js";

/** What a person would fill in to send this; null if a field has no such choice. */
function filled(offer, sent) {
  const values = { reason: sent.reason ?? sent.text };
  for (const { name, options, value } of offer.fields ?? []) {
    const wanted = name === "amount" ? sent.amount?.amount : sent[name];
    values[name] = wanted === undefined ? (value ?? options?.[0][0]) : String(wanted);
    if (values[name] === undefined || (options && !options.some(([each]) => each === values[name]))) return null;
  }
  return values;
}

/** A time is another one with each try, and what a request leaves out has a default. */
const isSame = (made, sent) => Object.entries(made).every(([name, value]) => name === "ready_at" || !(name in sent) ? name !== "fact" : isDeepStrictEqual(value, sent[name]));

for await (const line of createInterface({ input: process.stdin })) {
  const { path, sent, ...page } = JSON.parse(line);
  const { offers, others } = offersOf({ ...page, resend: null });
  const all = [...offers, ...others];
  const found = all
    .filter((offer) => offer.path === path && offer.dry)
    .map((offer) => ({ title: offer.title, blocked: offer.blocked ?? null, values: filled(offer, sent), body: offer.body }))
    .filter(({ values }) => values)
    .map(({ body, values, ...offer }) => ({ ...offer, body: body(values, null) }))
    .filter(({ body }) => isSame(body, sent));
  console.log(JSON.stringify({ found, offered: all.map(({ title }) => title) }));
}
