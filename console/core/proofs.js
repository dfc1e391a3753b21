/**
 * Check a proof of one order in the browser, without trust in the engine that made it. The steps and their order are
 * those of packaging/verify/expediter_verify.py, which is the one to rely on: it also checks the form of the file.
 */

/** @typedef {{version: number, key: string, recorded_at: string, content: string, hash: string}} ProvenCommit */
/**
 * @typedef {{format: string, key: string, stream: string, commits: ProvenCommit[], leaf: number, inclusion: string[],
 *   checkpoint: string, consistency: string[], newest: string}} Proof
 */
/** @typedef {{size: number, root: Uint8Array, madeAt: string}} Tree */

/** The proof does not hold. The message begins with the place. */
export class Refused extends Error {}

/** @param {any} condition @param {string} place @param {string} problem @returns {asserts condition} */
function require(condition, place, problem) {
  if (!condition) throw new Refused(`${place}: ${problem}`);
}

const utf8 = new TextEncoder();

/** @param {Uint8Array[]} parts */
function joined(parts) {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) whole.set(part, at), (at += part.length);
  return whole;
}

/** @param {...Uint8Array} parts */
const sha256 = async (...parts) => new Uint8Array(await crypto.subtle.digest("SHA-256", joined(parts)));
/** @param {Uint8Array} one @param {Uint8Array} other */
const same = (one, other) => one.length === other.length && one.every((byte, at) => byte === other[at]);
/** @param {Uint8Array} bytes */
const hex = (bytes) => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");

/** @param {string} text @param {string} place */
function readHash(text, place) {
  require(/^[0-9a-f]{64}$/.test(text), place, "is not a hash");
  return Uint8Array.from(/** @type {string[]} */ (text.match(/../g)), (byte) => parseInt(byte, 16));
}

/** @param {string} text @param {string} place */
function base64(text, place) {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch {
    throw new Refused(`${place}: is not base64`);
  }
}

/**
 * Check a proof: chain, signatures, inclusion, consistency.
 * @param {Proof} proof
 * @returns {Promise<{version: number, checkpoint: Tree, newest: Tree}>} the last version that it proves
 * @throws {Refused}
 */
export async function checkProof(proof) {
  require(proof.format === "expediter-proof/1", "format", "is not known");
  require(proof.commits.length, "commits", "there are none");
  const version = await checkChain(proof);
  const key = await readKey(proof.key);
  const checkpoint = await readCheckpoint(proof.checkpoint, key, "checkpoint");
  const newest = await readCheckpoint(proof.newest, key, "newest");
  require(checkpoint.madeAt <= newest.madeAt, "newest", "was made before the checkpoint");
  const last = /** @type {ProvenCommit} */ (proof.commits.at(-1));
  const leaf = await sha256(Uint8Array.of(0), utf8.encode(JSON.stringify([proof.stream, version, last.hash])));
  await checkInclusion(
    leaf,
    proof.leaf,
    checkpoint,
    proof.inclusion.map((text, at) => readHash(text, `inclusion[${at}]`)),
  );
  await checkConsistency(checkpoint, newest, proof.consistency.map((text, at) => readHash(text, `consistency[${at}]`)));
  return { version, checkpoint, newest };
}

/** @param {Proof} proof */
async function checkChain({ stream, commits }) {
  let [version, head, time] = [0, new Uint8Array(), ""];
  for (const [at, commit] of commits.entries()) {
    const place = `commits[${at}]`;
    require(commit.version ===
      version + 1, `${place}.version`, `is not ${version + 1}, which follows the commits before`);
    require(commit.recorded_at >= time, `${place}.recorded_at`, "is earlier than the commit before it");
    const parts = [
      head,
      ...[stream, String(commit.version), commit.key, commit.recorded_at, commit.content].map((text) =>
        utf8.encode(text),
      ),
    ];
    const sizes = new DataView(new ArrayBuffer(24));
    parts.forEach((part, number) => sizes.setUint32(4 * number, part.length));
    head = readHash(commit.hash, `${place}.hash`);
    require(same(
      await sha256(new Uint8Array(sizes.buffer), ...parts),
      head,
    ), place, "does not fit its hash and the one before");
    version += countEvents(commit, place);
    time = commit.recorded_at;
  }
  return version;
}

/** @param {ProvenCommit} commit @param {string} place @returns {number} */
function countEvents(commit, place) {
  try {
    const events = JSON.parse(commit.content).e;
    if (events.length > 0 && events.every((/** @type {any} */ event) => "t" in event)) return events.length;
  } catch {
    // refused below
  }
  throw new Refused(`${place}.content: holds no events`);
}

/** @param {string} text */
async function readKey(text) {
  const [name, id, ...rest] = text.split("+");
  const blob = base64(rest.join("+"), "key");
  require(blob.length === 33 && blob[0] === 1, "key", "is not a key of Ed25519");
  const keyId = (await sha256(utf8.encode(`${name}\n`), blob)).slice(0, 4);
  require(hex(keyId) === id, "key", "its id does not fit its key");
  return { name, keyId, key: await crypto.subtle.importKey("raw", blob.slice(1), "Ed25519", false, ["verify"]) };
}

/**
 * @param {string} note
 * @param {{name: string, keyId: Uint8Array, key: CryptoKey}} signer
 * @param {string} place
 * @returns {Promise<Tree>}
 */
async function readCheckpoint(note, { name, keyId, key }, place) {
  const end = note.indexOf("\n\n");
  const lines = note.slice(0, end).split("\n");
  const [mark, signedBy, signature, ...more] = note.slice(end + 2).split(/[ \n]/);
  require(mark === "—" && signedBy === name && more.join("") === "", place, `is not signed by ${name}`);
  const blob = base64(signature, place);
  const valid =
    same(blob.slice(0, 4), keyId) &&
    (await crypto.subtle.verify("Ed25519", key, blob.slice(4), utf8.encode(note.slice(0, end + 1))));
  require(valid, place, `its signature by ${name} does not fit its text`);
  require(lines.length === 6 &&
    lines[0] === name &&
    /^[1-9]\d{0,15}$/.test(lines[1]) &&
    lines[3].startsWith("made_at "), place, "is not a checkpoint");
  return { size: Number(lines[1]), root: base64(lines[2], place), madeAt: lines[3].slice("made_at ".length) };
}

/** @param {Uint8Array} left @param {Uint8Array} right */
const nodeHash = (left, right) => sha256(Uint8Array.of(1), left, right);
const half = (/** @type {number} */ index) => Math.floor(index / 2);

/**
 * RFC 9162, section 2.1.3.
 * @param {Uint8Array} leaf
 * @param {number} index
 * @param {Tree} tree
 * @param {Uint8Array[]} proof
 */
async function checkInclusion(leaf, index, tree, proof) {
  require(Number.isInteger(index) &&
    index >= 0 &&
    index < tree.size, "leaf", `is not in a tree of ${tree.size} leaves`);
  let [node, last, hash] = [index, tree.size - 1, leaf];
  for (const beside of proof) {
    require(last > 0, "inclusion", "has too many hashes");
    if (node % 2 === 1 || node === last) {
      hash = await nodeHash(beside, hash);
      while (node % 2 === 0 && node > 0) [node, last] = [half(node), half(last)];
    } else hash = await nodeHash(hash, beside);
    [node, last] = [half(node), half(last)];
  }
  require(last === 0 && same(hash, tree.root), "inclusion", "does not lead from the last commit to the checkpoint");
}

/** RFC 9162, section 2.1.4. @param {Tree} first @param {Tree} second @param {Uint8Array[]} proof */
async function checkConsistency(first, second, proof) {
  const problem = "does not lead from the checkpoint to the newest one: it is of another history";
  require(first.size <= second.size, "newest", "is older than the checkpoint");
  if (first.size === second.size)
    return require(!proof.length && same(first.root, second.root), "consistency", problem);
  const hashes = Number.isInteger(Math.log2(first.size)) ? [first.root, ...proof] : proof;
  require(hashes.length, "consistency", problem);
  let [node, last] = [first.size - 1, second.size - 1];
  while (node % 2 === 1) [node, last] = [half(node), half(last)];
  let [before, after] = [hashes[0], hashes[0]];
  for (const beside of hashes.slice(1)) {
    require(last > 0, "consistency", "has too many hashes");
    if (node % 2 === 1 || node === last) {
      [before, after] = [await nodeHash(beside, before), await nodeHash(beside, after)];
      while (node % 2 === 0 && node > 0) [node, last] = [half(node), half(last)];
    } else after = await nodeHash(after, beside);
    [node, last] = [half(node), half(last)];
  }
  require(last === 0 && same(before, first.root) && same(after, second.root), "consistency", problem);
}
