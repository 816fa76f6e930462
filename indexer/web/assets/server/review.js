// The review page: the pairs that the server gives this page, and what it tells all pages. Keys and pictures are in
// report.js, verdicts on their way to the server in delivery.js.
"use strict";

let total = Number(document.body.dataset.total);
const facts = new Map();  // article -> what the server says of its pair
let isFilling = false, isComplete = false, hasWrapped = false;
const times = { shown: 0, sum: 0, count: 0 };

// Pairs.
const keyOf = (pair) => facts.get(pair)?.key;
function add(item) {
  const holder = document.createElement("template");
  holder.innerHTML = item.html;
  const article = holder.content.querySelector(".pair");
  facts.set(article, item);
  learn(item);
  showPins(article);
  const note = one("[name=note]", article);
  note.value = item.verdict?.note || "";
  const at = pairs.findIndex((pair) => keyOf(pair) === item.key);
  if (at >= 0) {
    const old = pairs[at], before = facts.get(old);
    item.index = before.index;
    if (item.images[0] !== before.images[0]) exchangeSides(article, item);
    const typed = one("[name=note]", old), isTyping = document.activeElement === typed;
    const marked = [typed.selectionStart, typed.selectionEnd];
    note.replaceWith(typed);
    article.classList.toggle("current", old.classList.contains("current"));
    facts.delete(old);
    old.replaceWith(article);
    pairs[at] = article;
    if (isTyping) {  // else the next letters would be keys, and judge
      typed.focus({ preventScroll: true });
      typed.setSelectionRange(...marked);
    }
    if (at === current && blinking !== undefined) setBlink(true);
  } else if (item.index === null) {
    pairs.unshift(article);
    if (current >= 0) current += 1;
  } else {
    pairs.push(article);
  }
  return article;
}
// Only pairs around the one that is shown are in the document: thousands of them would make it slow.
const KEPT_NEAR = 12;
function attachNear() {
  const near = new Set(pairs.slice(Math.max(0, current - KEPT_NEAR), Math.max(0, current) + KEPT_NEAR));
  for (const pair of all(".pair")) if (!near.has(pair)) pair.remove();
  one("#pairs").append(...[...near].filter((pair) => !pair.isConnected));
}
// A picture stays on its side while a pair is on the page, also if the other image is the duplicate now.
function exchangeSides(article, item) {
  const [left, right] = all(".sides .side", article);
  left.before(right);
  item.images.reverse();
}
function learn(item) {
  const now = verdicts.get(item.key);
  if (now && (now.state === "sending" || now.state === "waiting")) return;
  if (item.verdict) verdicts.set(item.key, { ...item.verdict, state: "recorded" });
  else verdicts.delete(item.key);
}
const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
// Whether the server answered.
async function fill({ from, count = 5, again = false } = {}) {
  while (isFilling) {
    if (from === undefined) return true;  // the same was asked already
    await pause(20);
  }
  isFilling = true;
  try {
    const indices = pairs.map((pair) => facts.get(pair).index ?? -1);
    const start = from ?? (hasWrapped ? 0 : Math.max(-1, ...indices) + 1);
    const ahead = pairs.slice(Math.max(current, 0), Math.max(current, 0) + 12).map(keyOf);
    const answer = await ask("/ahead", { person: page, start, count, have: pairs.map(keyOf), keep: ahead, again });
    ({ total, judged } = answer);
    answer.pairs.forEach(add);
    attachNear();
    goOffline(false);
    if (answer.end && from === undefined) {
      if (hasWrapped) isComplete = !answer.pairs.length;
      hasWrapped = true;  // what others had comes again at the end
    }
    return true;
  } catch (problem) {
    if (problem.answered) tellProblem(problem.message);
    else goOffline(true, problem);
    return false;
  } finally {
    isFilling = false;
  }
}
// Whether a pair is still to be judged. Pairs of contradictions all have verdicts: there those count that changed.
const showsJudged = "showsJudged" in document.body.dataset;
const isLeft = (pair) => (showsJudged ? !changed.has(keyOf(pair)) : !verdicts.get(keyOf(pair))?.verdict);
// At least one more pair, unless there is none. What others had when it was passed over comes at the end.
async function fetchMore() {
  const before = pairs.length;
  for (let tries = 0; tries < 250 && pairs.length === before && !isComplete && !isOffline;) {
    if (isFilling) await pause(20);  // however long the server takes
    else if (!(await fill())) return;
    else tries += 1;
  }
}
step = async (by) => {
  const next = by > 0 && !pairs[current] ? Math.max(current, 0) : current + by;  // at the end, it is the next new one
  if (next >= pairs.length) {
    const before = shows;
    await fetchMore();
    if (shows !== before) return;
    if (next >= pairs.length) return finish();
  }
  if (pairs[next]) showPair(next);
};
showPlace = () => {
  const index = facts.get(pairs[current])?.index;
  one("#place").textContent = index === undefined || index === null ? "–" : `${index + 1} of ${total}`;
  times.shown = performance.now();
  attachNear();
  if (facts.get(pairs[current])?.isStale) renew([pairs[current]]);
  if (pairs.length - current < 6 && !isComplete && !isOffline) fill();
};
// Behind the last pair none is shown, so that a key too many judges none. Either it is the end of the queue, or the next
// pair did not come: then it is asked for until it does.
const isWaiting = () => !one("#finished").hidden && !isComplete;
function finish() {
  setBlink(false);
  pairs[current]?.classList.remove("current");
  current = pairs.length;
  one("#place").textContent = "–";
  setFinished(true);
  showLeft();
  showVerdicts();
}
function setFinished(on) {
  one("#finished").hidden = !on;
  for (const button of all("[data-verdict], [data-act=skip], [data-act=alike]")) button.disabled = on;
}
const showOne = showPair;
let shows = 0;  // how often a pair was shown: who went to one while the next was on its way stays there
showPair = (number, how) => {
  if (!pairs[number]) return;
  shows += 1;
  setAdvancing(false);
  setFinished(false);
  showOne(number, how);
};
function showLeft() {
  const left = Math.max(total - judged, 0);
  one("#finished h2").textContent = isComplete ? "This is the end of the queue" : "The next pair is not here yet";
  one("[data-act=again]").hidden = !isComplete;
  one("#finished-text").textContent = !isComplete ? "It is shown as soon as the server answers."
    : left ? `${left} of ${total} pairs are left: they were skipped, are with others, or are being decided again.` : "All of them are judged.";
}

// Verdicts.
book = {
  find: (pair) => verdicts.get(keyOf(pair)),
  give(pair, verdict) {
    const by = one("#by").value.trim();
    const item = facts.get(pair);
    const after = { verdict, by, note: one("[name=note]", pair).value || null };
    const before = bare(verdicts.get(item.key));
    if (before && before.verdict === after.verdict && before.note === after.note) return;
    if (performance.now() - times.shown < 60000) {
      times.sum += performance.now() - times.shown;
      times.count += 1;
    }
    make([{ pair: item.pair, hashes: item.hashes, before, after }]);
  },
  undo: () => revert("undo", "redo", (change) => ({ ...change, before: change.after, after: change.before })),
  redo: () => revert("redo", "undo", (change) => change),
  canUndo: () => stacks.undo.length > 0,
  canRedo: () => stacks.redo.length > 0,
  summary() {
    showLeft();
    const last = stacks.undo.at(-1), given = last && verdicts.get(nameOf(last[0].pair));
    const count = last?.length > 1 ? `${last.length} × ` : "";
    one("#last").textContent = given?.verdict ? `${count}${given.verdict} ${STATES[given.state] || ""}` : "";
    const pace = times.count ? `, ${(times.sum / times.count / 1000).toFixed(1)} s a pair` : "";
    const waiting = [...verdicts.values()].filter((given) => given.state === "waiting").length;
    return `${judged} of ${total} judged${pace}${waiting ? `, ${waiting} wait` : ""}`;
  },
};
// To the next pair that nobody judged meanwhile.
let isAdvancing = false;
function setAdvancing(on) {
  isAdvancing = on;
  document.body.classList.toggle("advancing", on);
}
advance = async () => {
  for (let at = pairs[current] ? current + 1 : Math.max(current, 0); ; at += 1) {
    if (at >= pairs.length) {
      const before = shows;
      setAdvancing(true);
      await fetchMore();
      if (shows !== before) return;
      setAdvancing(false);
    }
    if (at >= pairs.length) return finish();
    if (isLeft(pairs[at])) return showPair(at);
  }
};
const giveVerdict = judge;
judge = (verdict) => {
  if (readOnly || isAdvancing || !pairs[current] || !one("#finished").hidden) return;  // a key while the next pair is on its way means none
  if (hasName()) giveVerdict(verdict);
};
function hasName() {
  if (one("#by").value.trim()) return true;
  one("#by").focus();
  tell("Type your name first: it stands beside your verdicts.");
  return false;
}
// Undoes or does again the last change, and goes to its pair.
async function revert(from, to, turned) {
  const key = turnBack(from, to, turned);
  if (!key) return;
  if (!pairs.some((pair) => keyOf(pair) === key)) {
    const answer = await ask("/pairs", { pairs: [key] }).catch(() => ({ pairs: [] }));
    answer.pairs.forEach(add);
  }
  showPair(pairs.findIndex((pair) => keyOf(pair) === key));
}
setInterval(() => {
  if (isOffline) {
    deliver();
    if (!unsent.length && pairs.length) fill();
  } else if (isWaiting() && !isAdvancing) advance();
}, 2000);

// All duplicates of this keeper at once.
let alike = [];
async function showAlike() {
  if (readOnly || !pairs[current] || !hasName()) return;
  const answer = await ask("/alike", { keeper: Number(pairs[current].dataset.keeper) })
    .catch((problem) => tellProblem(problem.answered ? problem.message : "The server does not answer."));
  if (!answer.pairs) return;
  alike = answer.pairs;
  if (!alike.length) {
    tell(`Image ${answer.keeper} has no duplicates without a verdict.`);
    return;
  }
  one("#alike-title").textContent = `${alike.length} duplicate${alike.length === 1 ? "" : "s"} of image ${answer.keeper} without a verdict`;
  one("#alike-keeper").hidden = !answer.picture;
  if (answer.picture) one("#alike-keeper").src = `/${answer.picture}`;
  one("#alike .members").replaceChildren(...alike.map(({ image, picture }) => {
    const item = document.createElement("li"), shown = new Image(), label = document.createElement("span");
    shown.src = `/${picture}`;
    shown.alt = label.textContent = `image ${image}`;
    item.append(...(picture ? [shown] : []), label);
    return item;
  }));
  one("#alike").showModal();
  one("[data-act=alike-yes]").focus();
}
function judgeAlike() {
  one("#alike").close();
  const after = { verdict: "same", by: one("#by").value.trim(), note: null };
  make(alike.map(({ pair, hashes }) => ({ pair, hashes, before: null, after })));
  advance();
}
function goTo() {
  const dialog = one("#goto");
  one("input", dialog).value = "";
  dialog.showModal();
}
one("#goto form").addEventListener("submit", async () => {
  const wanted = Number(one("#goto input").value) - 1;
  if (!(wanted >= 0 && wanted < total)) return tell(`There are ${total} pairs.`);
  await fill({ from: wanted });
  const indices = pairs.map((pair) => facts.get(pair).index ?? -1).filter((index) => index >= wanted);
  if (!indices.length) return tell("From there on, all pairs are judged, or with others.");
  showPair(pairs.findIndex((pair) => facts.get(pair).index === Math.min(...indices)));
});
async function lookAgain() {
  for (const pair of pairs) pair.remove();
  facts.clear();
  pairs = [];
  current = -1;
  isComplete = hasWrapped = false;
  setFinished(false);
  await begin({ from: 0, again: true });
}
// The left (0) or the right (1) picture of the pair is always kept, or no longer.
async function togglePin(side) {
  const pair = pairs[current], item = facts.get(pair);
  if (readOnly || !item) return;
  const image = item.images[side], hash = item.hashes[item.pair.indexOf(image)];
  try {
    const { pinned } = await ask("/pin", { image, hash, pinned: !item.pinned.includes(image) });
    tell(pinned ? `Image ${image} is pinned: it is always kept.` : `Image ${image} is no longer pinned.`);
  } catch (problem) {
    tellProblem(`Not pinned: ${problem.answered ? problem.message : "the server does not answer"}`);
  }
}
function showPins(article) {
  const item = facts.get(article);
  for (const side of all(".side[data-image]", article)) {
    one(".pinned", side).hidden = !item.pinned.includes(Number(side.dataset.image));
  }
}
Object.assign(pairKeys, { k: () => step(1), a: showAlike, g: goTo, p: () => togglePin(0), P: () => togglePin(1) });
Object.assign(acts, { skip: pairKeys.k, alike: showAlike, "alike-yes": judgeAlike, again: lookAgain });
delete pairKeys.Escape;

// What the server tells all pages.
// Pairs of images that changed are shown anew: those that come next now, the others as soon as they are shown.
async function refresh(hasChanged) {
  const fromHere = [...pairs.slice(Math.max(current, 0)), ...pairs.slice(0, Math.max(current, 0)).reverse()];
  const stale = fromHere.filter((pair) => facts.get(pair).images.some(hasChanged));
  for (const pair of stale) facts.get(pair).isStale = true;
  await renew(stale.slice(0, 12));
}
async function renew(stale) {
  if (!stale.length) return;
  for (const pair of stale) facts.get(pair).isStale = false;
  const answer = await ask("/pairs", { pairs: stale.map(keyOf) }).catch(() => {
    for (const pair of stale) if (facts.has(pair)) facts.get(pair).isStale = true;
    return { pairs: [] };
  });
  answer.pairs.forEach(add);
  showVerdicts();
}
// A page in the background does not listen: a browser has six connections for all pages of a server.
let hasListened = false, events;
function listen() {
  events?.close();
  if (document.hidden) return;
  events = new EventSource("/events");
  const on = (name, act) => events.addEventListener(name, (event) => act(JSON.parse(event.data)));
  events.onopen = () => {
    goOffline(false);
    deliver();
    if (hasListened) {  // what was told meanwhile is lost
      learnStatus();
      refresh(() => true);
    }
    hasListened = true;
  };
  events.onerror = () => {
    goOffline(true);
    if (events.readyState === EventSource.CLOSED) setTimeout(listen, 2000);  // it was refused, and gives up
  };
  on("verdicts", ({ changes, state, judged: now }) => {
    judged = now;
    for (const change of changes) learnState(change, state);
    showVerdicts();
  });
  on("pin", ({ image, pinned }) => {
    for (const [article, item] of facts) {
      if (!item.images.includes(image)) continue;
      item.pinned = item.pinned.filter((other) => other !== image).concat(pinned ? [image] : []);
      showPins(article);
    }
  });
  on("decisions", ({ camera, freed, bound, changed: now, images, problem }) => {
    const parts = [];
    if (freed) parts.push(`${freed} image${freed === 1 ? " is" : "s are"} kept now`);
    if (bound) parts.push(`${bound} image${bound === 1 ? " is a duplicate" : "s are duplicates"} now`);
    const list = now.slice(0, 5).map(({ image, verdict, keeper }) => (keeper ? `${image}: ${verdict} of ${keeper}` : `${image}: ${verdict}`));
    const more = `(${list.join("; ")}${now.length > 5 ? "; …" : ""})`;
    if (problem) tellProblem(`Camera ${camera}: ${problem}`);
    else if (parts.length) tell(`Camera ${camera}: ${parts.join(", ")}`, { kind: "decisions", more });
    const known = new Set(images);
    refresh((image) => known.has(image));
    learnStatus();
  });
  on("waiting", ({ waiting }) => {
    tellWaiting(waiting);
    if (!waiting) learnStatus();
  });
  on("refused", ({ problem }) => tellProblem(`Not recorded: ${problem}`));
  on("busy", ({ holder, problem }) => tell(holder ? `Decisions follow when ${holder} has ended.` : `Decisions must wait: ${problem}`, { kind: "waiting" }));
  on("again", () => location.reload());
}
async function learnStatus() {
  const waited = new Map([...verdicts].filter(([, given]) => given.state === "waiting").slice(0, 12));
  const answer = await fetch("/status").then((reply) => (reply.ok ? reply.json() : null)).catch(() => null);
  if (!answer) return;
  judged = answer.judged;
  if (!answer.waiting) one(".message.waiting")?.remove();
  if (!answer.waiting && waited.size) {  // recorded meanwhile, or refused: what the index has is shown
    const now = await ask("/pairs", { pairs: [...waited.keys()] }).catch(() => ({ pairs: [] }));
    for (const item of now.pairs) {
      if (verdicts.get(item.key) === waited.get(item.key)) verdicts.delete(item.key);
      add(item);
    }
  }
  const list = answer.contradictions.slice(0, 20);
  one("#decided").replaceChildren(...list.map(({ pair, chain }) => {
    const line = document.createElement("p");
    line.textContent = `Contradiction: ${pair.replace("-", " and ")} are judged different, but ${chain.join(" = ")} are judged same.`;
    return line;
  }));
  showVerdicts();
}

if (location.hash.startsWith("#t=")) history.replaceState(null, "", "/");
// The address of a server that was started again, typed into this tab.
window.addEventListener("hashchange", () => { if (location.hash.startsWith("#t=")) location.replace(`/enter${location.hash}`); });
// The name that was typed here last, as long as the server proposes the same: who starts it with another name means that.
const NAME = `indexer-name-${one("#by").value}`;
one("#by").value = localStorage.getItem(NAME) || one("#by").value;
one("#by").addEventListener("input", () => localStorage.setItem(NAME, one("#by").value));
if (readOnly) all(".bar button, [data-verdict]").forEach((button) => { button.hidden = true; });
// The first pair, as soon as the server answers.
async function begin(how) {
  while (!(await fill(how)) && !pairs.length) await pause(2000);
  if (pairs.length) showPair(0);
  else await advance();
}
begin({ count: 1 }).then(() => { document.body.dataset.ready = "1"; });  // one at first, so that it is there soon
listen();
document.addEventListener("visibilitychange", listen);
ready.then(() => { showVerdicts(); deliver(); });
learnStatus();
// Pairs stay this page's as long as somebody is at it.
const AWAY_MS = 600000;
const isAway = () => document.hidden || performance.now() - times.shown > AWAY_MS;
setInterval(() => { if (pairs[current] && !isOffline && !isAway()) fill({ count: 0, from: 0 }); }, 30000);
window.addEventListener("pagehide", () => { ask("/leave", { person: page }, { keepalive: true }).catch(() => {}); });
window.addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });  // gone back to
