/** Times in words: in a chosen zone, since, until, and how long. Instants are the API's texts, RFC 3339 in UTC. */

/** @type {Map<string, Intl.DateTimeFormat>} */
const formats = new Map();

/** @param {string} zone @param {Intl.DateTimeFormatOptions} options */
function format(zone, options) {
  const key = `${zone} ${JSON.stringify(options)}`;
  let made = formats.get(key);
  if (!made)
    formats.set(key, (made = new Intl.DateTimeFormat("en-GB", { timeZone: zone, hourCycle: "h23", ...options })));
  return made;
}

/** @param {Intl.DateTimeFormat} made @param {Date} at */
const parts = (made, at) => Object.fromEntries(made.formatToParts(at).map(({ type, value }) => [type, value]));

/**
 * Write an instant in full: `2026-11-21 18:38:15`.
 * @param {string | null | undefined} instant
 * @param {string} zone an IANA name
 */
export function dateTime(instant, zone = "UTC") {
  if (!instant) return "";
  const key = `${zone} ${instant}`;
  let text = written.get(key);
  if (text === undefined) {
    if (written.size >= WRITTEN_MAX) written.clear();
    written.set(key, (text = `${day(instant, zone)} ${clock(instant, zone)}`));
  }
  return text;
}

/** Instants in words. A page writes the same ones at each change. @type {Map<string, string>} */
const written = new Map();
const WRITTEN_MAX = 2000;

/** Write the date of an instant: `2026-11-21`. @param {string} instant */
export function day(instant, zone = "UTC") {
  const p = parts(format(zone, { year: "numeric", month: "2-digit", day: "2-digit" }), new Date(instant));
  return `${p.year}-${p.month}-${p.day}`;
}

/** Write the time of day of an instant: `18:38:15`. @param {string} instant */
export function clock(instant, zone = "UTC", seconds = true) {
  const p = parts(format(zone, { hour: "2-digit", minute: "2-digit", second: "2-digit" }), new Date(instant));
  return seconds ? `${p.hour}:${p.minute}:${p.second}` : `${p.hour}:${p.minute}`;
}

/**
 * Return the instant at which the clocks of a zone show a day and a time. A time that summer time leaves out is an hour
 * later.
 * @param {string} date e.g. `2026-11-21`
 * @param {string} time e.g. `18:38`
 * @param {string} zone an IANA name
 * @returns {Date} an invalid one if there is no such day or time
 */
export function instantAt(date, time, zone) {
  const wanted = Date.parse(`${date}T${time.padStart(5, "0")}:00Z`);
  let at = wanted;
  for (let round = 0; round < 2 && !Number.isNaN(at); round += 1)
    at += wanted - Date.parse(`${dateTime(new Date(at).toISOString(), zone).replace(" ", "T")}Z`);
  return new Date(at);
}

/**
 * Write the times in a sentence of the API in a zone, which is named: `2026-11-21 18:38:15 UTC` becomes `2026-11-21
 * 19:38:15 CET`.
 * @param {string} text
 * @param {string} zone
 */
export const withTimes = (text, zone) =>
  text.replace(
    /\b(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d) UTC\b/g,
    (_, date, time) => `${dateTime(`${date}T${time}Z`, zone)} ${zoneName(`${date}T${time}Z`, zone)}`,
  );

/** Write the name of a zone as it is at an instant: `CET`, `GMT-5`. @param {string} instant @param {string} zone */
export const zoneName = (instant, zone) =>
  parts(format(zone, { timeZoneName: "short" }), new Date(instant)).timeZoneName;

/**
 * Write an instant in UTC, to stand beside the time in a zone: `11:38:15 UTC`, with the date where it is another; empty
 * in UTC.
 * @param {string} instant
 * @param {string} zone
 */
export function utcBeside(instant, zone) {
  if (dateTime(instant, zone) === dateTime(instant)) return "";
  return `${day(instant, zone) === day(instant) ? "" : `${day(instant)} `}${clock(instant)} UTC`;
}

/** Write an instant with its milliseconds, in UTC. @param {string} instant */
export function exact(instant) {
  return `${dateTime(instant)}.${instant.match(/\.(\d{3})/)?.[1] ?? "000"} UTC`;
}

/** Return the milliseconds from one instant to another. @param {string} from @param {string} to */
export const between = (from, to) => Date.parse(to) - Date.parse(from);

/**
 * Write how long something took: `420 ms`, `1.9 s`, `38 s`, `7m 11s`, `1h 23m`, `3 d 4 h`.
 * @param {number} ms
 * @returns {string}
 */
export function duration(ms) {
  if (ms < 0) return `-${duration(-ms)}`;
  if (ms < 950) return `${Math.round(ms)} ms`;
  if (ms < 9950) return `${(ms / 1000).toFixed(1)} s`;
  const s = Math.round(ms / 1000);
  if (s < 60) return `${s} s`;
  const m = Math.floor(s / 60);
  if (m < 60) return s % 60 ? `${m}m ${String(s % 60).padStart(2, "0")}s` : `${m} min`;
  const h = Math.floor(m / 60);
  if (h < 48) return m % 60 ? `${h}h ${String(m % 60).padStart(2, "0")}m` : `${h} h`;
  return h % 24 ? `${Math.floor(h / 24)} d ${h % 24} h` : `${Math.floor(h / 24)} d`;
}

/** Write the time from the beginning of an order to one of its events: `+7m11`. @param {number} ms @returns {string} */
export function offset(ms) {
  if (ms < 0) return `-${offset(-ms).slice(1)}`;
  if (ms < 9950) return `+${(ms / 1000).toFixed(1).replace(/\.0$/, "")}s`;
  const s = Math.round(ms / 1000);
  if (s < 60) return `+${s}s`;
  const m = Math.floor(s / 60);
  if (m < 60) return `+${m}m${String(s % 60).padStart(2, "0")}`;
  const h = Math.floor(m / 60);
  if (h < 24) return `+${h}h${String(m % 60).padStart(2, "0")}`;
  return `+${Math.floor(h / 24)}d${String(h % 24).padStart(2, "0")}`;
}

/** Write a duration that is read while it passes, in whole seconds. @param {number} ms */
export const seconds = (ms) =>
  duration(Math.floor(Math.max(0, ms) / 1000) * 1000)
    .replace(/^0 ms$/, "0 s")
    .replace(".0 s", " s");

/** Write how long ago an instant was. @param {string} instant @param {number} now in milliseconds since 1970 */
export function ago(instant, now) {
  const ms = now - Date.parse(instant);
  return ms < 1500 ? "now" : `${seconds(ms)} ago`;
}

/**
 * Write what is left until a deadline: `in 4m 05s`, or `12 s over`.
 * @param {string} deadline
 * @param {number} now in milliseconds since 1970
 */
export function countdown(deadline, now) {
  const ms = Date.parse(deadline) - now;
  return ms >= 0 ? `in ${seconds(ms)}` : `${seconds(-ms)} over`;
}

/**
 * Write how much of a wait is left, to stand behind who is waited for: `1h 34m left`, or `12 s over`.
 * @param {string} deadline
 * @param {number} now in milliseconds since 1970
 */
export const timeLeft = (deadline, now) => countdown(deadline, now).replace(/^in (.*)/, "$1 left");

/** Whether the browser knows a time zone. @param {string} zone */
export function isZone(zone) {
  try {
    format(zone, {});
    return true;
  } catch {
    return false;
  }
}

/**
 * Write the times of day in the words of an event in a zone, which is named: `ready at 12:45 UTC` becomes `ready at
 * 13:45 CET`. The day is the one nearest to the event.
 * @param {string} words
 * @param {string} zone
 * @param {string} near when the event was recorded
 */
export function withClocks(words, zone, near) {
  if (zone === "UTC" || !words.includes(" UTC")) return words;
  return words.replace(/(?<![\d:])(\d\d:\d\d) UTC\b/g, (_, time) => {
    const there = Date.parse(`${day(near)}T${time}:00Z`);
    const at = new Date(there + Math.round((Date.parse(near) - there) / DAY_MS) * DAY_MS).toISOString();
    return `${clock(at, zone, false)} ${zoneName(at, zone)}`;
  });
}

const DAY_MS = 86_400_000;
