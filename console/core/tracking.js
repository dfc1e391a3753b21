/**
 * A customer's view of an order: the stages that it reached, what happens now in a sentence, and where the courier is.
 */

/** @typedef {{latitude: number, longitude: number, at: string}} Position */
/** @typedef {{name: string, at: string | null, done: boolean}} Stage */

/** The stages of an order and the event that ends each. @type {[string, string][]} */
const STAGES = [
  ["Ordered", "OrderPlaced"],
  ["Payment authorized", "PaymentAuthorized"],
  ["Accepted by the restaurant", "PreparationAccepted"],
  ["Courier found", "CourierAssigned"],
  ["Meal is ready", "PreparationReady"],
  ["On its way", "OrderPickedUp"],
  ["Delivered", "OrderDelivered"],
];

/** What happens now, by the status of the order. @type {Record<string, string>} */
const SENTENCES = {
  placed: "Your order was received. The payment is being authorized.",
  authorized: "The restaurant was asked to accept your order.", preparing: "The restaurant prepares your meal.",
  ready: "Your meal is ready, and waits for the courier.", picked_up: "The courier is on the way to you.",
  delivered: "Your meal was delivered. The payment is being settled.", completed: "Your meal was delivered.",
  cancelling: "Your order is being cancelled, and what was held or paid is given back.",
  cancelled: "Your order was cancelled.", abandoned: "Your order was closed by support.",
};

/** @param {{status: string, parked: boolean}} order */
export const sentenceOf = (order) =>
  order.parked ? "Something needs the attention of our support, which was told." : (SENTENCES[order.status] ?? "");

/**
 * Return the stages with the time at which each was last reached. A courier who was found and gave back counts until
 * another is asked.
 * @param {{type: string, recorded_at: string}[]} events
 * @returns {Stage[]}
 */
export function stagesOf(events) {
  const at = (/** @type {string} */ type) => events.findLast((event) => event.type === type)?.recorded_at ?? null;
  return STAGES.map(([name, type]) => {
    const reached = at(type);
    const lost = type === "CourierAssigned" && reached !== null && (at("CourierRequested") ?? "") > reached;
    return { name, at: lost ? null : reached, done: reached !== null && !lost };
  });
}

const EARTH_M = 6_371_000;
const TRACK_MAX = 60;

/** The distance of two positions in metres, exact enough for a town. @param {Position} a @param {Position} b */
export function metresBetween(a, b) {
  const [east, north] = offsetFrom(a, b);
  return Math.hypot(east, north);
}

/** @param {Position} from @param {Position} to @returns {[number, number]} metres to the east and to the north */
function offsetFrom(from, to) {
  const radians = Math.PI / 180;
  return [
    (to.longitude - from.longitude) * radians * EARTH_M * Math.cos(from.latitude * radians),
    (to.latitude - from.latitude) * radians * EARTH_M,
  ];
}

/**
 * Add a position to a track; one that is not newer is left out, and old ones go.
 * @param {Position[]} track
 * @param {Position} position
 */
export const withPosition = (track, position) =>
  track.length && track[track.length - 1].at >= position.at ? track : [...track, position].slice(-TRACK_MAX);

/**
 * Return the track as points in a square, with the newest in the middle, north above.
 * @param {Position[]} track
 * @param {number} side
 * @returns {{points: [number, number][], scale_m: number}} `scale_m` is the length of a quarter of the side
 */
export function drawTrack(track, side) {
  const newest = track[track.length - 1];
  const offsets = track.map((each) => offsetFrom(newest, each));
  const reach = Math.max(100, ...offsets.flat().map(Math.abs));
  const quarter =
    [25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 25_000, 50_000].find((each) => each * 2 >= reach) ?? reach / 2;
  const scale = side / 4 / quarter;
  return {
    points: offsets.map(([east, north]) => [side / 2 + east * scale, side / 2 - north * scale]),
    scale_m: quarter,
  };
}
