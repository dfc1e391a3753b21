// The pure part of the console: node --test tests/console/core
import assert from "node:assert/strict";
import { test } from "node:test";

import { contradictions, eventsOf, owedRows, queryOf } from "../../../console/core/books.js";
import { address, awsPage, findPage, readAddress } from "../../../console/core/addresses.js";
import { countFitting } from "../../../console/core/events.js";
import { endsOf, graphOf, stateWords } from "../../../console/core/graphs.js";
import { eachOf, isZero, minus, money, negative, share, sums, withAmounts } from "../../../console/core/money.js";
import { applyPatch, valueAt } from "../../../console/core/patches.js";
import { isPassing, readProblem } from "../../../console/core/problems.js";
import { lacks, oneAtATime } from "../../../console/core/reading.js";
import { answersOf, compareWithLedger } from "../../../console/core/provider.js";
import { attemptWords, isUndelivered, standing, stateWords as deliveryWords, typeWords, versionOf } from "../../../console/core/deliveries.js";
import { changesOf, compressed, spansOf, statesOf, undosOf } from "../../../console/core/sagas.js";
import { drawTrack, metresBetween, sentenceOf, stagesOf, withPosition } from "../../../console/core/tracking.js";
import { understand } from "../../../console/core/search.js";
import { offersOf } from "../../../console/pages/order/offers.js";
import { heldWords } from "../../../console/core/values.js";
import { ago, countdown, dateTime, duration, offset, timeLeft, utcBeside, withClocks, withTimes } from "../../../console/core/time.js";

const EUR = (amount) => ({ amount, currency: "EUR" });

test("amounts are added exactly, by currency", () => {
  assert.deepEqual(sums([EUR("0.10"), EUR("0.20"), { amount: "300", currency: "JPY" }, EUR("-0.3")]), [EUR("0.00"), { amount: "300", currency: "JPY" }]);
  assert.deepEqual(minus(EUR("50.70"), EUR("46.35")), EUR("4.35"));
  assert.deepEqual(minus(EUR("1.00"), EUR("2.50")), EUR("-1.50"));
  assert.equal(isZero(EUR("0.00")), true);
  assert.equal(share(EUR("5"), EUR("20")), 0.25);
  assert.deepEqual([negative(EUR("4.50")), negative(EUR("0.00"))], [EUR("-4.50"), EUR("0.00")]);
  assert.deepEqual(eachOf({ unit_price: EUR("14.25"), options: [{ price: EUR("3.15") }] }), EUR("17.40"));
});

test("an amount is written in its currency, also one that no double can hold", () => {
  assert.equal(money(EUR("12.50"), "en"), "€12.50");
  assert.equal(money(EUR("90071992547409.93"), "en"), "€90,071,992,547,409.93");
  assert.equal(money({ amount: "1250", currency: "JPY" }, "en"), "¥1,250");
});

test("amounts in sentences of the API are written as all others are, and times stay times", () => {
  assert.equal(withAmounts("Payment authorized, 84.15 EUR held; 1250 JPY back, ready at 18:46 UTC", "en"), "Payment authorized, €84.15 held; ¥1,250 back, ready at 18:46 UTC");
});

test("times are shown in the chosen zone, over the change of summer time", () => {
  assert.equal(dateTime("2026-10-25T00:30:00.000000Z", "Europe/Rome"), "2026-10-25 02:30:00");
  assert.equal(dateTime("2026-10-25T01:30:00.000000Z", "Europe/Rome"), "2026-10-25 02:30:00");
  assert.equal(dateTime("2026-01-01T00:00:00Z", "UTC"), "2026-01-01 00:00:00");
  assert.equal(withTimes("Parked since 2026-10-24 22:30:00 UTC, ready at 18:46 UTC", "Europe/Rome"), "Parked since 2026-10-25 00:30:00 CEST, ready at 18:46 UTC");
  assert.equal(withTimes("until 2026-01-01 00:00:00 UTC", "UTC"), "until 2026-01-01 00:00:00 UTC");
});

test("durations and countdowns read well at every size", () => {
  assert.deepEqual([420, 1900, 38_000, 431_000, 4_980_000, 200_000_000].map(duration), ["420 ms", "1.9 s", "38 s", "7m 11s", "1h 23m", "2 d 7 h"]);
  assert.deepEqual([0, 400, 52_000, 431_000, 4_980_000].map(offset), ["+0s", "+0.4s", "+52s", "+7m11", "+1h23"]);
  const now = Date.parse("2026-01-01T12:00:00Z");
  assert.equal(countdown("2026-01-01T12:04:05Z", now), "in 4m 05s");
  assert.equal(countdown("2026-01-01T11:59:48Z", now), "12 s over");
  assert.deepEqual([245_000, -12_000].map((ms) => timeLeft(new Date(now + ms).toISOString(), now)), ["4m 05s left", "12 s over"]);
  assert.deepEqual([4_900, 0].map((ms) => countdown(new Date(now + ms).toISOString(), now)), ["in 4 s", "in 0 s"], "what ticks is in whole seconds");
  assert.deepEqual([9_400, 900].map((ms) => ago(new Date(now - ms).toISOString(), now)), ["9 s ago", "now"]);
});

test("an address is read and written without loss, and has one form", () => {
  const written = `/console/${address("orders", { status: "placed", customer: "a&b=c", parked: "", cause: undefined })}`;
  assert.deepEqual(readAddress(written, "/console/"), { path: "orders", query: { status: "placed", customer: "a&b=c" } });
  assert.equal(address("x", { personal: false }), "x?personal=false");
  assert.deepEqual(findPage([["orders/:id", 1]], "orders/a%2Fb"), { page: 1, names: { id: "a/b" } });
  assert.equal(findPage([["orders/:id", 1]], "orders/%"), null);
  assert.equal(findPage([["orders/:id", 1]], "orders/"), null);
});

test("an execution on AWS leads to its page there, and a local one nowhere", () => {
  const arn = "arn:aws:states:eu-west-1:123456789012:execution:OrderMachine:ord_a-1";
  assert.equal(awsPage(arn), `https://eu-west-1.console.aws.amazon.com/states/home?region=eu-west-1#/v2/executions/details/${arn}`);
  assert.equal(awsPage("arn:aws:states:local:000000000000:execution:OrderMachine:ord_a-1"), "");
});

test("the search box takes each kind of text that it promises for what it is", () => {
  const now = new Date("2026-05-04T12:30:00Z");
  const kinds = (text) => understand(text, now).map((each) => (each.order ? "order" : Object.keys(each.filters ?? each.personal ?? each.events ?? {})[0]));
  const promised = {
    ord_abcdefghijklmnopqrstuvwxyz: ["order"], ORD_ABCDEFGHIJKLMNOPQRSTUVWXYZ: ["order"], ord_abcd: ["id_prefix"], "7q2x": ["id_prefix", "id_suffix", "name", "restaurant", "customer", "restaurant_name"], "q2x": ["id_prefix", "name", "restaurant", "customer", "restaurant_name"], "abcd2345": ["id_prefix", "id_suffix", "name", "restaurant", "customer", "restaurant_name"],
    "030 1234567": ["phone"], "+49 (30) 123-4567": ["phone"], "0301234567": ["phone"], "zoe@example.com": ["email"], "Zoë Núñez": ["name", "restaurant_name"], "O'Brien": ["name", "restaurant_name"], "李 小龙": ["name", "restaurant_name"],
    "12.50": ["amount_min"], "€12,50": ["amount_min"], "12.50 EUR": ["amount_min"], "$7": ["amount_min"], "12": ["amount_min"], "18:30": ["placed_from"], "2026-05-01": ["placed_from"], "2026-05-01 18:30": ["placed_from"],
    "cus_1": ["customer"], "rst_luigi": ["restaurant"], "cou-7": ["courier"], "pi_3QfX": ["payment_reference"], "4bf92f3577b34da6a3ce929d0e0e4736": ["correlation"], "trattoria-nonna": ["name", "restaurant", "customer", "restaurant_name"],
    "trattoria-nonna 18:30": ["restaurant", "restaurant_name"], "18:30 trattoria-nonna": ["restaurant", "restaurant_name"], "trattoria-nonna 2026-05-01 18:30": ["restaurant", "restaurant_name"],
    "Trattoria Nonna 18:30": ["restaurant_name"], "2026-05-01 18:30 Café 1900": ["restaurant_name"], "nonna 2026-05-01": ["restaurant_name"], "2026-05-01 9:05": ["placed_from"],
  };
  for (const [text, expected] of Object.entries(promised)) assert.deepEqual(kinds(text), expected, text);
  for (const nothing of ["", "  ", "25:00", "2026-13-01", "?!", "€12,50 $"]) assert.deepEqual(kinds(nothing), [], nothing);
});

test("the search box understands what people type", () => {
  const now = new Date("2026-05-04T12:30:00Z");
  const first = (text) => understand(text, now)[0];
  assert.equal(first("ord_abcdefghijklmnopqrstuvwxyz").order, "ord_abcdefghijklmnopqrstuvwxyz");
  assert.deepEqual(first("ada@example.com").personal, { email: "ada@example.com" });
  assert.deepEqual(first("+49 30 1234567").personal, { phone: "+49 30 1234567" });
  assert.deepEqual(first("cus-4711").filters, { customer: "cus-4711" });
  assert.deepEqual(first("€12,50").filters, { amount_min: "12.50", amount_max: "12.50", currency: "EUR" });
  assert.deepEqual(first("23.90 GBP").filters, { amount_min: "23.90", amount_max: "23.90", currency: "GBP" });
  assert.deepEqual(first("7Q2X").filters, { id_prefix: "7q2x" });
  assert.deepEqual(understand("7Q2X", now)[1].filters, { id_suffix: "7q2x" });
  assert.deepEqual(understand("Camille", now).map((each) => each.personal ?? each.filters), [{ name: "Camille" }, { restaurant_name: "Camille" }], "a name is no part of an id");
  assert.deepEqual(understand("nonna", now).map((each) => Object.keys(each.personal ?? each.filters ?? {})[0]), ["name", "id_prefix", "id_suffix", "restaurant_name"], "a word is rather a name than a part of an id");
  assert.deepEqual(first("Café 1900 2026-05-01").filters, { restaurant_name: "Café 1900", placed_from: "2026-05-01T00:00:00.000Z", placed_to: "2026-05-02T00:00:00.000Z" });
  assert.deepEqual(first("4bf92f3577b34da6a3ce929d0e0e4736").events, { correlation: "4bf92f3577b34da6a3ce929d0e0e4736" });
  assert.deepEqual(first("18:30").filters, { placed_from: "2026-05-03T18:30:00.000Z", placed_to: "2026-05-03T18:45:00.000Z" });
  assert.deepEqual(first("2026-05-01").filters, { placed_from: "2026-05-01T00:00:00.000Z", placed_to: "2026-05-02T00:00:00.000Z" });
  assert.deepEqual(first("مريم الحداد").personal, { name: "مريم الحداد" });
  assert.deepEqual(understand("   "), []);
  const inRome = (text) => understand(text, now, "EUR", "Europe/Rome")[0].filters; // two hours before UTC in summer
  assert.deepEqual(inRome("14:15"), { placed_from: "2026-05-04T12:15:00.000Z", placed_to: "2026-05-04T12:30:00.000Z" });
  assert.deepEqual(inRome("14:45"), { placed_from: "2026-05-03T12:45:00.000Z", placed_to: "2026-05-03T13:00:00.000Z" }, "a time of the last 24 hours");
  assert.deepEqual(inRome("2026-10-25"), { placed_from: "2026-10-24T22:00:00.000Z", placed_to: "2026-10-25T23:00:00.000Z" }, "a day of 25 hours");
  assert.deepEqual(inRome("luigi_1 2026-05-01 18:30"), { restaurant: "luigi_1", placed_from: "2026-05-01T16:30:00.000Z", placed_to: "2026-05-01T16:45:00.000Z" });
  const addressed = understand("Ada Lovelace", now).filter((each) => each.filters);
  assert.deepEqual(addressed.map(({ label }) => label), ["Restaurant called Ada Lovelace"], "a name stands in no address, unless it is chosen as that of a restaurant");
});

test("a problem of the API says what to do next", () => {
  const problem = readProblem(409, { type: "urn:expediter:problem:OrderAlreadyPickedUp", detail: "refund it instead", errors: [{ field: "x", problem: "y" }] });
  assert.deepEqual([problem.name, problem.message, problem.errors.length], ["OrderAlreadyPickedUp", "refund it instead", 1]);
  assert.match(problem.next, /state/);
  for (const status of [0, 400, 401, 403, 404, 412, 422, 429, 500, 503]) assert.ok(readProblem(status, null).next, String(status));
});

test("a problem passes if the same request may be answered a moment later", () => {
  const passing = (/** @type {number} */ status, /** @type {string} */ name) => isPassing(readProblem(status, { type: `urn:expediter:problem:${name}` }));
  assert.ok(passing(503, "ViewsUnavailable") && passing(503, "StreamUnavailable") && passing(429, "TooManyRequests"));
  for (const name of ["NoViewsDatabase", "SearchTooSlow", "NoExports"]) assert.ok(!passing(503, name), name);
  assert.ok(!passing(404, "OrderNotFound") && !passing(500, "ChainBroken"));
});

test("patches are applied without changing what was shown before", () => {
  const before = { a: { b: [1, 2] }, keep: { x: 1 } };
  const after = applyPatch(before, [{ op: "replace", path: "/a/b/1", value: 5 }, { op: "add", path: "/a/b/-", value: 6 }, { op: "remove", path: "/a/b/0" }, { op: "add", path: "/x~1y", value: 1 }]);
  assert.deepEqual(after, { a: { b: [5, 6] }, keep: { x: 1 }, "x/y": 1 });
  assert.deepEqual(before, { a: { b: [1, 2] }, keep: { x: 1 } });
  assert.equal(after.keep, before.keep);
  assert.equal(valueAt(after, "/nothing/there"), undefined);
});

const event = (version, type, at, data = {}, patch = []) => ({ version, type, recorded_at: new Date(at).toISOString(), data, patch, actor: { role: "system", id: "expediter" }, saga: null, words: "", undoes: null });

test("states follow the events; after an event of a newer release there are none", () => {
  const events = [event(1, "A", 0, {}, [{ op: "add", path: "/total", value: EUR("1.00") }]), event(2, "B", 1, {}, [{ op: "replace", path: "/total/amount", value: "2.00" }]), { ...event(3, "New", 2), patch: null }];
  const states = statesOf({}, events);
  assert.deepEqual(states, [{}, { total: EUR("1.00") }, { total: EUR("2.00") }, null]);
  assert.deepEqual(changesOf(states[1], events[1]), [{ path: ["total"], before: EUR("1.00"), after: EUR("2.00") }]);
});

test("each wait ends with the outcome that answers it, and not with that of another", () => {
  const events = [event(1, "CourierRequested", 0), event(2, "CourierTimedOut", 5000, { answers: 1 }), event(3, "CourierRequested", 5000), event(4, "CourierReleaseRequested", 5000, { request: 1 }), event(5, "CourierReleased", 5100, { answers: 4 }), event(6, "CourierAssigned", 9000, { answers: 3 })];
  const waits = spansOf(events, 10_000).filter(({ label }) => label.startsWith("find a courier"));
  assert.deepEqual(waits.map(({ label, from, to, how, start, end }) => [label, from, to, how, start, end]), [["find a courier", 1, 2, "bad", 0, 5000], ["find a courier #2", 3, 6, "done", 5000, 9000]]);
});

test("waits of one saga that last at the same time stand below one another", () => {
  const events = [event(1, "CourierRequested", 0), event(2, "CourierTimedOut", 5000, { answers: 1 }), event(3, "CourierReleaseRequested", 5000, { request: 1 }), event(4, "CourierRequested", 5000), event(5, "CourierReleased", 5100, { answers: 3 }), event(6, "CourierAssigned", 9000, { answers: 4 })];
  assert.deepEqual(spansOf(events).map(({ label, row }) => `${row} ${label}`), ["0 find a courier", "0 withdraw", "1 find a courier #2"]);
});

test("long stretches are shorter on the axis, and the order of moments stays", () => {
  const scale = compressed([0, 1000, 2000, 3_602_000]);
  const places = [0, 500, 1000, 2000, 1_800_000, 3_602_000].map(scale);
  assert.deepEqual([...places].sort((a, b) => a - b), places);
  assert.ok(places[3] > 0.02, "two seconds stay visible beside an hour");
  assert.deepEqual([places[0], places[5]], [0, 1]);
});

const node = (id, extra = {}) => ({ id, type: "Task", comment: "", path: "forward", end: false, action: null, waits_for_token: false, starts: null, undoes: [], group: null, ...extra });
const LAYOUTS = {
  order: { start: "Authorize", nodes: [node("Authorize"), node("Fulfil", { type: "Parallel" }), node("RunPreparation", { starts: "preparation", group: "Fulfil/0", end: true }), node("Settle", { end: true }), node("FindReason", { path: "compensation" })], groups: [{ id: "Fulfil/0", of: "Fulfil", start: "RunPreparation", nodes: ["RunPreparation"] }], edges: [{ from: "Authorize", to: "Fulfil", kind: "next", label: "" }, { from: "Fulfil", to: "RunPreparation", kind: "branch", label: "" }, { from: "Fulfil", to: "Settle", kind: "next", label: "" }, { from: "Fulfil", to: "FindReason", kind: "catch", label: "" }] },
  preparation: { start: "Request", nodes: [node("Request", { waits_for_token: true }), node("Ready", { end: true }), node("Late", { path: "exception" })], groups: [], edges: [{ from: "Request", to: "Ready", kind: "next", label: "" }] },
};
const visit = (state, entered, exited, extra = {}) => ({ state, entered_at: new Date(entered).toISOString(), exited_at: exited === null ? null : new Date(exited).toISOString(), attempts: 1, failures: 0, error: "", ...extra });

test("the graph shows the executed path of a moment on the definition, one machine inside the other", () => {
  const executions = [
    { machine: "order", status: "RUNNING", states: [visit("Authorize", 0, 10), visit("Fulfil", 10, null), visit("RunPreparation", 10, null)] },
    { machine: "preparation", status: "RUNNING", states: [visit("Request", 20, 30, { failures: 1, attempts: 2 }), visit("Ready", 30, null)] },
  ];
  const now = graphOf(LAYOUTS, executions, "9999-12-31T00:00:00Z");
  assert.deepEqual(Object.fromEntries(now.nodes.map((each) => [each.id, each.progress])), { "order/Authorize": "done", "order/Settle": "ahead", "order/FindReason": "ahead", "preparation/Request": "done", "preparation/Ready": "running" });
  assert.deepEqual(now.edges.filter(({ taken }) => taken).map(({ from, to }) => `${from} ${to}`), ["order/Authorize preparation/Request", "preparation/Request preparation/Ready"]);
  assert.ok(now.edges.some(({ from, to, taken }) => from === "preparation/Ready" && to === "order/Settle" && !taken));
  const earlier = graphOf(LAYOUTS, executions, new Date(25).toISOString());
  assert.equal(earlier.nodes.find(({ id }) => id === "preparation/Request").progress, "running");
  assert.equal(earlier.nodes.find(({ id }) => id === "preparation/Ready").progress, "ahead");
  assert.equal(earlier.nodes.find(({ id }) => id === "preparation/Request").since, null, "the past has no running clock");
  assert.equal(stateWords("AwaitReadiness"), "Await readiness");
});

test("a call that the circuit did not allow is no retry of the one that was made later", () => {
  const failed = (error) => [{ machine: "order", status: "RUNNING", states: [visit("Authorize", 0, 10, { error, failures: 1, attempts: 1 }), visit("Authorize", 20, null, { attempts: 1 })] }];
  const retries = (error) => graphOf(LAYOUTS, failed(error), "9999-12-31T00:00:00Z").nodes.find(({ id }) => id === "order/Authorize").failures;
  assert.equal(retries("CircuitOpen"), 0);
  assert.equal(retries("PaymentsUnavailable"), 1);
});

test("branches of a Parallel stand beside each other in a box, before they are reached and afterwards", () => {
  const within = (id, group, extra = {}) => node(id, { group, ...extra });
  const order = { start: "Authorize", nodes: [node("Authorize"), node("Fulfil", { type: "Parallel" }), within("Cook", "Fulfil/0", { end: true }), within("Find", "Fulfil/1"), within("Carry", "Fulfil/1", { end: true }), node("Settle", { end: true })],
    groups: [{ id: "Fulfil/0", of: "Fulfil", start: "Cook", nodes: ["Cook"] }, { id: "Fulfil/1", of: "Fulfil", start: "Find", nodes: ["Find", "Carry"] }],
    edges: [["Authorize", "Fulfil"], ["Fulfil", "Cook", "branch"], ["Fulfil", "Find", "branch"], ["Find", "Carry"], ["Fulfil", "Settle"]].map(([from, to, kind = "next"]) => ({ from, to, kind, label: "" })) };
  const ways = ["order/Authorize order/Cook", "order/Authorize order/Find", "order/Carry order/Settle", "order/Cook order/Settle", "order/Find order/Carry"];
  const written = (graph, taken) => graph.edges.filter((edge) => edge.taken === taken).map(({ from, to }) => `${from} ${to}`).sort();
  const ahead = graphOf({ order }, [{ machine: "order", status: "RUNNING", states: [visit("Authorize", 0, null)] }], "9999-12-31T00:00:00Z");
  assert.deepEqual(written(ahead, false), ways);
  assert.deepEqual(ahead.boxes, [{ machine: "order", title: "Fulfil, in parallel", nodes: ["order/Cook", "order/Find", "order/Carry"] }]);
  const states = [visit("Authorize", 0, 10), visit("Fulfil", 10, 40), visit("Cook", 10, 30), visit("Find", 10, 20), visit("Carry", 20, 40), visit("Settle", 40, 50)];
  assert.deepEqual(written(graphOf({ order }, [{ machine: "order", status: "SUCCEEDED", states }], "9999-12-31T00:00:00Z"), true), ways);
});

test("what was stopped on purpose, declined or left without an answer is not shown as failed", () => {
  const order = { start: "Authorize", groups: [], edges: [], nodes: [node("Authorize"), node("Cook", { waits_for_token: true }), node("Find", { waits_for_token: true }), node("Settle"), node("FindReason", { path: "compensation" }), node("Compensate", { path: "compensation", undoes: ["PaymentAuthorized"] }), node("Park", { path: "compensation" })] };
  const ended = (state, error, attempts = 1) => visit(state, 0, 10, { error, attempts, failures: attempts });
  const shown = (states, declined = false, stopped_at = new Date(20).toISOString()) => graphOf({ order }, [{ machine: "order", status: "SUCCEEDED", stopped_at, states }], "9999-12-31T00:00:00Z", declined).nodes;
  const by = (nodes, id) => nodes.find((each) => each.id === `order/${id}`);
  const cancelled = shown([visit("Authorize", 0, 10), ended("Cook", "CancellationAsked"), ended("Find", "States.Timeout"), ended("Settle", "OrderNotSettled"), visit("FindReason", 10, 12), visit("Compensate", 12, 20)]);
  assert.deepEqual(["Authorize", "Cook", "Find", "Settle", "Compensate"].map((id) => by(cancelled, id).progress), ["done", "stopped", "refused", "stopped", "done"]);
  assert.deepEqual(endsOf(cancelled).map(({ words, labels }) => `${labels.join(", ")}: ${words}`), ["Cook, Settle: stopped, because the order was cancelled", "Find: no answer in time"]);
  const parked = shown([visit("Authorize", 0, 10), { ...ended("Settle", "OrderNotSettled"), message: "order ord_a2 was delivered, but the payment was not captured" }, visit("FindReason", 10, 12), visit("Park", 12, 20)]);
  assert.equal(endsOf(parked)[0].words, "failed: the order was delivered, but the payment was not captured");
  assert.equal(by(parked, "Settle").tag, "failed", "nothing cancelled this order: its payment is not settled");
  const compensated = [visit("FindReason", 10, 12), visit("Compensate", 12, 20)];
  assert.equal(by(shown([ended("Authorize", "PaymentNotAuthorized"), ...compensated], true), "Authorize").tag, "declined");
  assert.equal(by(shown([ended("Authorize", "PaymentNotAuthorized"), ...compensated]), "Authorize").tag, "stopped", "cancelled while the provider was asked");
  assert.equal(by(shown([ended("Authorize", "PaymentsUnavailable", 5), ...compensated]), "Authorize").tag, "failed", "a fault stays a fault in a cancelled order");
  assert.equal(by(shown([ended("Authorize", "States.Timeout", 5)]), "Authorize").tag, "failed", "a call without an answer is no wait");
  assert.equal(by(shown([visit("Find", 0, null)]), "Find").progress, "stopped", "no wait outlasts its execution");
  assert.equal(by(shown([visit("Find", 0, null)], false, null), "Find").progress, "running");
  const before = graphOf({ order }, [{ machine: "order", status: "SUCCEEDED", stopped_at: null, states: [ended("Find", "CancellationAsked")] }], new Date(5).toISOString()).nodes;
  assert.deepEqual([by(before, "Find").progress, by(before, "Find").failures], ["running", 0], "before it was stopped nothing had failed");
});

test("the way back shows which states it takes back", () => {
  const order = { start: "Pay", groups: [], edges: [], nodes: [node("Pay", { action: "authorize" }), node("Find", { action: "request_courier" }), node("Cook", { action: "await_readiness" }), node("Compensate", { path: "compensation", undoes: ["PaymentAuthorizationRequested", "CourierRequested"] })] };
  const { undos } = graphOf({ order }, [], "9999-12-31T00:00:00Z");
  assert.deepEqual(undos, [{ from: "order/Pay", to: "order/Compensate", type: "PaymentAuthorized" }, { from: "order/Find", to: "order/Compensate", type: "CourierRequested" }]);
});

test("what was taken back is named with the last event about it, and not as taken back before it is, or in whole where it is not", () => {
  const event = (version, undoes = null, data = {}) => ({ version, undoes, data });
  const events = [event(1), event(2, null, { amount: EUR("20.00") }), event(3), event(4, 3), event(5, 2), event(6, null, { answers: 4 }), event(7, 2, { answers: 5, amount: EUR("4.50") }), event(8, 3), event(9, 2), event(10, 3, { answers: 8 }), event(11, 2, { answers: 9, amount: EUR("20.00") })];
  const at = (version) => undosOf(events, version).map(({ undone, by, how }) => [undone.version, by.version, how]);
  assert.deepEqual(at(3), []);
  assert.deepEqual(at(5), [[3, 4, "asked"], [2, 5, "asked"]]);
  assert.deepEqual(at(7), [[3, 6, "refused"], [2, 7, "part"]]);
  assert.deepEqual(at(9), [[2, 7, "part"], [3, 8, "asked"], [2, 9, "asked"]], "the refused request was made anew");
  assert.deepEqual(at(11), [[2, 7, "part"], [3, 10, "done"], [2, 11, "done"]]);
});

test("deliveries of webhooks say how they stand, the worst first", () => {
  const delivery = (status, ...codes) => ({ id: "", webhook: "", event: "ord_a/12", type: "expediter.payment.capture-refused.v1", recorded_at: "", status, next_try: null, attempts: codes.map((http) => ({ at: "", http, ms: 20, error: http ? null : "no connection: refused" })) });
  const [sent, failed, trying, made] = [delivery("delivered", 500, 204), delivery("failed", 500), delivery("pending", null), delivery("pending")];
  assert.equal(standing([sent, failed, trying]), "1 of 3 deliveries failed");
  assert.equal(standing([sent, trying, made]), "1 of 3 deliveries failed so far");
  assert.equal(standing([sent, made]), "1 of 2 deliveries on the way");
  assert.equal(standing([sent]), "1 delivery");
  assert.deepEqual([sent, failed, trying, made].map(isUndelivered), [false, true, true, false]);
  assert.deepEqual([...sent.attempts, ...trying.attempts].map(attemptWords), ["500 after 20 ms", "204 after 20 ms", "no answer: refused"]);
  assert.deepEqual([sent, failed, trying, made].map(deliveryWords), ["delivered", "failed", "retrying", "on the way"]);
  assert.equal(typeWords(sent.type), "payment capture refused");
  assert.deepEqual([versionOf(sent), versionOf({ ...sent, event: "test/ab12" })], [12, 0]);
});

test("the provider's answers are compared with the ledger, as of a version", () => {
  const event = (version, type, data) => ({ version, type, data });
  const events = [event(3, "PaymentAuthorized", { authorization_id: "a1", amount: EUR("50.00") }), event(9, "PaymentCaptured", { capture_id: "c1", amount: EUR("40.00") }), event(12, "PaymentRefunded", { refund_id: "r1", amount: EUR("5.00") }), event(13, "PaymentRefundRefused", { reason: "account_closed" })];
  const posting = (account, amount) => ({ account, amount: EUR(amount) });
  const ledger = [{ version: 3, postings: [posting("holds", "50.00")] }, { version: 9, postings: [posting("holds", "-50.00"), posting("provider_clearing", "40.00")] }, { version: 12, postings: [posting("provider_clearing", "-4.00")] }];
  const at = (version) => compareWithLedger(answersOf(events, version), ledger, version, "EUR").map(({ account, provider, agrees }) => [account, provider.amount, agrees]);
  assert.deepEqual(at(2), [["held", "0", true], ["taken", "0", true]]);
  assert.deepEqual(at(3), [["held", "50.00", true], ["taken", "0", true]]);
  assert.deepEqual(at(9), [["held", "0", true], ["taken", "40.00", true]]);
  assert.deepEqual(at(13), [["held", "0", true], ["taken", "35.00", false]]);
  assert.deepEqual(answersOf(events, 13).at(-1), { version: 13, what: "refund refused: account closed", amount: null, reference: null, bad: true });
});

test("books that contradict themselves are named, with the amount", () => {
  const accounts = [{ account: "holds", closing: EUR("10.00") }, { account: "held_for_customers", closing: EUR("-10.00") }, { account: "platform_fees", closing: EUR("0.00") }];
  const books = { currency: "EUR", balanced: true, debit: EUR("10.00"), credit: EUR("10.00"), accounts };
  assert.deepEqual(contradictions(books), []);
  const changed = { ...books, balanced: false, accounts: [{ account: "holds", closing: EUR("12.50") }, ...accounts.slice(1)] };
  assert.deepEqual(contradictions(changed).map(({ amount }) => amount), [EUR("2.50"), EUR("2.50")]);
  assert.deepEqual(contradictions({ ...books, balanced: false, debit: EUR("10.01") }).map(({ amount }) => amount), [EUR("0.01")]);
});

test("a line of the books leads to its orders, whatever stands in a name", () => {
  assert.equal(eventsOf("provider_clearing", { day_from: "2026-05-04", day_to: "2026-05-04" }), "events?type=PaymentCaptured%2CPaymentFound%2CPaymentRefunded&recorded_from=2026-05-04T00%3A00%3A00Z&recorded_to=2026-05-05T00%3A00%3A00.000Z");
  assert.match(readAddress(`/console/${queryOf("holds", "EUR", { restaurant: "o'neil" })}`, "/console/").query.sql, /restaurant = 'o''neil'/);
});

test("what is owed is added up by holding and currency", () => {
  const total = (holding, age, items, amount, currency = "EUR") => ({ holding, age, items, currency, amount: { amount, currency } });
  const rows = owedRows([total("capture", "older", 2, "30.00"), total("capture", "under_an_hour", 1, "0.50"), total("capture", "older", 1, "700", "JPY")]);
  assert.deepEqual(rows.map((row) => [row.holding, row.currency, row.items, row.amount.amount]), [["capture", "EUR", 3, "30.50"], ["capture", "JPY", 1, "700"]]);
});

test("a customer sees the stages that were reached, and a courier who gave the order back does not count", () => {
  const event = (type, minute) => ({ type, recorded_at: `2026-05-04T12:${minute}:00Z` });
  const events = [event("OrderPlaced", "00"), event("PaymentAuthorized", "01"), event("CourierRequested", "02"), event("CourierAssigned", "03")];
  const done = (all) => stagesOf(all).filter((stage) => stage.done).map(({ name }) => name);
  assert.deepEqual(done(events), ["Ordered", "Payment authorized", "Courier found"]);
  assert.deepEqual(done([...events, event("CourierDeclined", "04"), event("CourierRequested", "05")]), ["Ordered", "Payment authorized"]);
  assert.match(sentenceOf({ status: "picked_up", parked: false }), /on the way/);
  assert.match(sentenceOf({ status: "picked_up", parked: true }), /support/);
});

test("a courier's way is drawn in metres around the newest position, and late positions are left out", () => {
  const at = (latitude, longitude, second) => ({ latitude, longitude, at: `2026-05-04T12:00:0${second}Z` });
  const track = [at(48.86, 2.34, 1), at(48.861, 2.34, 2)].reduce(withPosition, []);
  assert.equal(withPosition(track, at(0, 0, 1)), track);
  assert.equal(Math.round(metresBetween(track[0], track[1])), 111);
  const { points, scale_m } = drawTrack(track, 240);
  assert.deepEqual(points[1], [120, 120]);
  assert.equal(points[0][1] > 120, true, "the way came from the south");
  assert.equal(scale_m, 100);
  assert.deepEqual(drawTrack([at(48.86, 2.34, 1)], 240).points, [[120, 120]]);
});

test("events that arrive live are counted as the filters of the event log would list them", () => {
  const event = (type, role, recorded_at = "2026-11-27T12:00:00Z") => ({ type, recorded_at, correlation: "c", actor: { role, id: "x" } });
  const message = { order_id: "ord_x", order: { customer: "cus", restaurant: "res" }, events: [event("NoteAdded", "support"), event("OrderPlaced", "customer"), event("PaymentVoided", "system")] };
  assert.equal(countFitting(message, {}), 3);
  assert.equal(countFitting(message, { type: "NoteAdded, OrderPlaced" }), 2);
  assert.equal(countFitting(message, { people_only: "true" }), 2);
  assert.equal(countFitting(message, { actor_role: "system", restaurant: "res", correlation: "c" }), 1);
  assert.equal(countFitting(message, { order: "ord_y" }), 0);
  assert.equal(countFitting(message, { recorded_from: "2026-11-27T12:00:00Z", recorded_to: "2026-11-28T00:00:00Z" }), 3);
  assert.equal(countFitting(message, { recorded_to: "2026-11-27T12:00:00Z" }), 0);
  assert.equal(countFitting({ order_id: "ord_x", gone: true }, {}), 0);
});

test("UTC stands beside a time, with its date where that is another, and not beside itself", () => {
  assert.equal(utcBeside("2026-11-27T12:14:13.055940Z", "Europe/Rome"), "12:14:13 UTC");
  assert.equal(utcBeside("2026-11-27T23:30:00Z", "Europe/Rome"), "2026-11-27 23:30:00 UTC");
  assert.equal(utcBeside("2026-06-27T12:00:00Z", "Africa/Abidjan"), "");
  assert.equal(utcBeside("2026-06-27T12:00:00Z", "UTC"), "");
});

test("times of day in the words of an event are those of the chosen zone, on the nearest day", () => {
  const near = "2026-11-27T23:50:00Z";
  assert.match(withClocks("Restaurant accepted, ready at 00:10 UTC", "Europe/Paris", near), /ready at 01:10 (CET|GMT\+1)$/);
  assert.equal(withClocks("ready at 00:10 UTC", "UTC", near), "ready at 00:10 UTC");
  assert.equal(withClocks("a text without a time", "Europe/Paris", near), "a text without a time");
});

test("what is held is named in words, and a refund that was not made is a refund", () => {
  const events = [{ version: 15, type: "PaymentRefundRequested" }];
  assert.equal(heldWords({ holding: "capture", intent: 15 }, events), "refund");
  assert.equal(heldWords({ holding: "capture", intent: 9 }, events), "amount charged (capture)");
});

const PLAN = { events: ["RunStarted"], money: [], runs: [], refused: null, second_person_for: null, status: "picked_up", instead: [] };
const offeredFor = (why) => {
  const me = { role: "support", id: "sue", may: ["retry", "resolve", "pass_on", "note", "credit", "set_circuit"].map((action) => ({ action })) };
  const page = { id: "ord_x", order: { parked: true, status: "picked_up", totals: { total: EUR("12.00") } }, events: [], me, resend: null };
  return offersOf({ ...page, why: { waits: [], owed: [], approvals: [], reports: [{ fact: "delivered", party: "courier", awaited: true, contradicts: null }], ...why } }).offers;
};

test("what helps stands first among the actions, what is refused last", () => {
  const refused = { ...PLAN, events: [], refused: { rule: "OrderAlreadyPickedUp", detail: "picked up" }, instead: ["delivery/deliver"] };
  const titles = offeredFor({ plans: { retry: { ...PLAN, instead: ["delivery/deliver"] }, cancel: refused } }).map(({ title }) => title);
  assert.deepEqual([titles[0], titles[1], titles.at(-1)], ["Meal was delivered", "Retry", "Cancel and give back"]);
  const again = offeredFor({ plans: { retry: PLAN } }).map(({ title }) => title);
  assert.deepEqual([again[0], again.includes("Meal was delivered")], ["Retry", true], "where a new run goes on, it is the first");
});

test("a write-off says what is given up, of what amount, and how the order ends", () => {
  const owed = [{ holding: "capture", intent: 15, amount: EUR("12.00") }];
  const plan = { ...PLAN, events: ["WrittenOff", "OrderCompleted"], money: [{ what: "give_up", amount: EUR("12.00"), intent: 15 }], status: "completed" };
  const offered = offeredFor({ owed, plans: { retry: PLAN, "write_off 15": plan } }).find(({ name }) => name === "write_off 15");
  assert.match(offered.title, /^Write off the amount charged \(capture\) of .*12\.00.* \(event 15\)$/);
  assert.match(offered.note, /^Gives up .*12\.00.*; then the order ends as completed$/);
});

test("an order behind stopped calls leads to the page on which they are started again", () => {
  const wait = { what: "circuit", dependency: "kitchen", reports: [] };
  const [first] = offeredFor({ waits: [wait], plans: { retry: PLAN } });
  assert.deepEqual([first.title, first.href], ["Start calls to kitchen again", "circuits"]);
});

/** A read that ends when the test says so. */
function held() {
  const reads = [];
  const read = (signal) => new Promise((done) => reads.push({ signal, done }));
  return { reads, read };
}

const turn = () => new Promise((done) => setTimeout(done));

test("what is read again while it is read is read once more afterwards, and not given up each time", async () => {
  const { reads, read } = held();
  const abort = new AbortController();
  const begin = oneAtATime(read, abort.signal);
  begin(), begin(), begin();
  assert.deepEqual([reads.length, reads[0].signal.aborted], [1, false]);
  reads[0].done();
  await turn();
  assert.equal(reads.length, 2, "once for all that asked meanwhile");
  reads[1].done();
  await turn();
  assert.equal(reads.length, 2);
  begin();
  abort.abort();
  assert.equal(reads[2].signal.aborted, true);
  reads[2].done();
  begin();
  await turn();
  assert.equal(reads.length, 3, "nothing is read once it has ended");
});

test("a read that never ends is given up for the next one", async (t) => {
  const { now } = Date;
  t.after(() => (Date.now = now));
  const { reads, read } = held();
  const begin = oneAtATime(read, new AbortController().signal);
  begin();
  Date.now = () => now() + 31_000;
  begin();
  assert.deepEqual([reads.length, reads[0].signal.aborted, reads[1].signal.aborted], [2, true, false]);
  reads[0].done();
  await turn();
  begin();
  assert.equal(reads.length, 2, "the end of the old one is not that of the new one");
});

test("a list lacks what it says; an order that its reader may not see any more is not waited for", () => {
  const age = { lag_commits: 0, complete: true, includes: null };
  const listed = [{}, { lag_commits: 2 }, { complete: false, lag_commits: null }, { includes: false }, { includes: false, lag_commits: null }];
  assert.deepEqual(listed.map((each) => lacks({ as_of: { ...age, ...each } })), [false, true, true, false, true]);
  assert.deepEqual([lacks({ ...age, lag_commits: 1 }), lacks({ order: {} }), lacks([]), lacks(null), lacks(undefined)], [true, false, false, false, false]);
});
