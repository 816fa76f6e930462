// What this page asks the server, and the verdicts on their way there: they are kept in the browser until the server
// has answered, and every change can be undone. How pairs are shown is in review.js.
"use strict";

const STORED = `indexer-review-${document.body.dataset.report}`;
const readOnly = "readOnly" in document.body.dataset;
const verdicts = new Map();  // name of a pair -> {verdict, by, note, state}
const changed = new Set();  // names of pairs that somebody judged since this page was opened
let judged = 0, isOffline = false, hasOldCookie = false;

const newName = () => crypto.getRandomValues(new Uint32Array(4)).join("-");
const page = newName();  // what this page calls itself: others do not get its pairs

// How long an answer is waited for, in milliseconds. A verdict that was not answered can be sent again.
const patience = { "/verdict": 20000, others: 60000 };
async function ask(path, body, how = {}) {
  const answer = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-Indexer": "1" },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(patience[path] || patience.others),
    ...how,
  });
  const document = await answer.json().catch(() => null);  // it may end in the middle
  // Only an answer about what was asked is final. Another server, or none behind a proxy, says nothing of it.
  const answered = [400, 404, 409, 413].includes(answer.status);
  hasOldCookie = answer.status === 401;
  if (!answer.ok || !document) {
    const text = document?.error || `the server answers ${answer.status}`;
    throw Object.assign(new Error(text), { answered, status: answer.status });
  }
  return document;
}
// A message; `more` is left out on a phone, where it would hide a picture.
function tell(text, { kind = "note", buttons = [], more = "" } = {}) {
  const line = document.createElement("p"), details = document.createElement("span");
  line.className = `message ${kind}`;
  details.className = "more";
  details.textContent = more;
  line.append(text, " ", details);
  for (const [label, act] of buttons) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = label;
    button.addEventListener("click", () => { line.remove(); act(); });
    line.append(button, " ");
  }
  const messages = one("#messages");
  if (kind !== "conflict") all(`.message.${kind}`, messages).forEach((old) => old.remove());
  messages.append(line);
  if (!buttons.length && ["note", "decisions"].includes(kind)) setTimeout(() => line.remove(), 8000);
  return line;
}
const tellProblem = (text) => tell(text, { kind: "problem", buttons: [["OK", () => {}]] });
function goOffline(on, problem) {
  const why = hasOldCookie
    ? "The server was started again: open the address that its terminal shows, in this tab."
    : problem?.status >= 500 ? `The server cannot record it: ${problem.message}.` : "The server does not answer.";
  const text = on ? `${why} What you judge is kept here and sent then. ` : "";
  if (text === (one(".message.offline")?.dataset.text || "")) return;
  isOffline = on;
  one(".message.offline")?.remove();
  if (on) tell(text.trim(), { kind: "offline" }).dataset.text = text;
  offerCsv();
}
// As long as the server is away, what it has not got can be saved as a file, which `verdict --from` reads.
function offerCsv() {
  const line = one(".message.offline"), rows = rowsOf(unsent);
  if (line) one("button", line)?.remove();
  if (!line || !rows.length) return;
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = `Save ${rows.length === 1 ? "it" : `all ${rows.length}`} as CSV`;
  button.addEventListener("click", () => saveCsv(rowsOf(unsent)));
  line.append(button);
}
// The last word on each pair; of those that were taken back nothing is left.
function rowsOf(requests) {
  const last = new Map(requests.flat().map((change) => [nameOf(change.pair), change]));
  return [...last.values()].filter(({ after }) => after).map(({ pair, hashes, after }) =>
    [...pair, after.verdict, after.by, after.note || "", "", "", ...hashes]);
}
const howLongAgo = (seconds) => {
  const [size, unit] = [[86400, "d"], [3600, "h"], [60, "min"]].find(([limit]) => seconds >= 2 * limit) || [1, "s"];
  return `${Math.round(seconds / size)} ${unit} ago`;
};

// What this tab keeps: the changes that can be undone, and those that the server has not answered yet. The latter stay
// in the browser when the tab is closed, under the name of the tab. The next page takes what no open tab has.
const parse = (text, otherwise) => {
  try {
    return JSON.parse(text) || otherwise;
  } catch {
    return otherwise;
  }
};
const stacks = { undo: [], redo: [], ...parse(sessionStorage.getItem(STORED), {}) };
let tab = sessionStorage.getItem(`${STORED}-tab`) || newName();
let unsent = [];
function store() {
  try {
    sessionStorage.setItem(STORED, JSON.stringify({ undo: stacks.undo.slice(-500), redo: stacks.redo.slice(-500) }));
    if (unsent.length) localStorage.setItem(`${STORED}:${tab}`, JSON.stringify(unsent));
    else localStorage.removeItem(`${STORED}:${tab}`);
  } catch { /* in memory, then */ }
  offerCsv();
}
// Whether no open tab has this name; it is then this tab's as long as it is open.
const own = (name) => new Promise((resolve) => {
  if (!navigator.locks) return resolve(true);  // a page that other machines reach without encryption
  navigator.locks.request(`${STORED}:${name}`, { ifAvailable: true }, (lock) => {
    resolve(Boolean(lock));
    return lock ? new Promise(() => {}) : undefined;
  }).catch(() => resolve(true));
});
async function takeUnsent() {
  if (!(await own(tab))) {  // this tab is a copy of another one
    tab = newName();
    await own(tab);
  }
  sessionStorage.setItem(`${STORED}-tab`, tab);
  const taken = [];
  for (const key of Object.keys(localStorage).filter((name) => name.startsWith(`${STORED}:`))) {
    const name = key.slice(STORED.length + 1);
    if (name !== tab && !(await own(name))) continue;
    taken.push(...parse(localStorage.getItem(key), []));
    if (name !== tab) localStorage.removeItem(key);
  }
  unsent = [...taken, ...unsent];
  for (const changes of unsent) for (const change of changes) mark(change, "sending");
  store();
}

// Verdicts: a change says what held before, so that a page of an older state changes nothing.
const bare = (given) => (given?.verdict ? { verdict: given.verdict, by: given.by, note: given.note || null } : null);
const nameOf = (pair) => pair.join("-");
function mark({ pair, after }, state) {
  changed[after ? "add" : "delete"](nameOf(pair));
  if (after || state !== "recorded") verdicts.set(nameOf(pair), { verdict: null, ...after, state });
  else verdicts.delete(nameOf(pair));
}
function make(changes) {
  if (!changes.length) return;
  stacks.undo.push(changes);
  stacks.redo = [];
  send(changes);
}
// Takes the last change from one stack to the other, sends it or its reverse, and gives the name of its first pair.
function turnBack(from, to, turned) {
  const changes = stacks[from].pop();
  if (!changes) return undefined;
  stacks[to].push(changes);
  send(changes.map(turned));
  return nameOf(changes[0].pair);
}
function send(changes) {
  for (const change of changes) mark(change, "sending");
  unsent.push(changes);
  store();
  showVerdicts();
  deliver();
}
let isDelivering = false;
async function deliver() {
  if (isDelivering) return;
  isDelivering = true;
  await ready;
  while (unsent.length) {
    const changes = unsent[0];
    try {
      settle(changes, await ask("/verdict", { changes }));
      goOffline(false);
    } catch (problem) {
      if (!problem.answered) {
        goOffline(true, problem);
        break;
      }
      takeBack(changes);
      tellProblem(`Not recorded: ${problem.message}`);
    }
    unsent.shift();
    store();
    showVerdicts();
  }
  isDelivering = false;
}
function settle(changes, answer) {
  if (answer.state === "conflict") return disagree(changes, answer);
  judged = answer.judged;
  // A later change of the same pair may be under way already.
  const later = new Set(unsent.slice(1).flat().map(({ pair }) => nameOf(pair)));
  for (const change of changes) {
    const name = nameOf(change.pair);
    if (!later.has(name)) mark(change, verdicts.get(name)?.recorded === textOf(change.after) ? "recorded" : answer.state);
  }
  if (answer.state === "waiting" && answer.holder) tellWaiting(answer.waiting, answer.holder);
}
// What all pages are told. It may come before the answer to this page, which says that the verdict still waits.
const textOf = (given) => JSON.stringify(bare(given));
function learnState(change, state) {
  const known = verdicts.get(nameOf(change.pair));
  if (known?.state !== "sending") mark(change, state);
  else if (state === "recorded") known.recorded = textOf(change.after);
}
function tellWaiting(count, holder = "another command") {
  one(".message.waiting")?.remove();
  if (count) tell(`${count} wait for ${holder}. They are on the disk and will be recorded.`, { kind: "waiting" });
}
// Changes that were refused: the page shows what was there before, and they cannot be undone.
function takeBack(changes) {
  for (const change of changes) mark({ ...change, after: change.before }, "recorded");
  const isIt = (kept) => nameOf(kept[0].pair) === nameOf(changes[0].pair) && kept.length === changes.length;
  for (const name of ["undo", "redo"]) {
    const at = stacks[name].findLastIndex(isIt);
    if (at >= 0) stacks[name].splice(at, 1);
  }
}
function disagree(changes, { pair, current: theirs }) {
  takeBack(changes);
  if (theirs) verdicts.set(pair, { ...theirs, state: "recorded" });
  else verdicts.delete(pair);
  const others = changes.filter((change) => nameOf(change.pair) !== pair);
  const mine = changes.map((change) => (nameOf(change.pair) === pair ? { ...change, before: bare(theirs) } : change));
  const what = theirs ? `${theirs.by} said ${theirs.verdict} ${howLongAgo(theirs.ago_s)}` : "The verdict was taken back";
  tell(`${what} (pair ${pair}).`, { kind: "conflict", buttons: [["Keep that", () => make(others)], ["Mine", () => make(mine)]] });
}

const ready = takeUnsent().catch(() => {});  // without storage everything is in memory
