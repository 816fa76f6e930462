// The keys, verdicts and enlarged pictures of all pages. Every page of a report is whole without it: pairs are then
// listed one below the other. review.js, where it is there, puts the server in the place of this browser's storage.
"use strict";

const one = (selector, within = document) => within.querySelector(selector);
const all = (selector, within = document) => [...within.querySelectorAll(selector)];
const families = all(".family");
let pairs = all(".pair");
let current = -1;
const live = "live" in document.body.dataset;
const isPairPage = pairs.length > 0 || live;

document.documentElement.classList.add("js");

// If the browser refuses to store data, it is kept in memory until the page closes. Other tabs write, too:
// it is read again before each change.
const KEY = `indexer-verdicts-${document.body.dataset.report}`;
let kept = { by: "", rows: {} };
function load() {
  try {
    kept = JSON.parse(localStorage.getItem(KEY)) || kept;
  } catch { /* in memory, then */ }
  kept.undo ||= [];
  kept.redo ||= [];
}
function save() {
  try {
    localStorage.setItem(KEY, JSON.stringify(kept));
  } catch { /* in memory, then */ }
}

// Film strip.
function showFamily(number) {
  if (!families[number]) return;
  families[current]?.classList.remove("current");
  current = number;
  families[number].classList.add("current");
  (one("summary", families[number]) || families[number]).focus({ preventScroll: true });
  families[number].scrollIntoView({ block: "nearest" });
}
function fold(family) {
  const details = family && one("details", family);
  if (details) details.open = !details.open;
}
function alongMembers(step) {
  const links = all("details[open] .members a", families[current] || document);
  const at = links.indexOf(document.activeElement);
  links[at < 0 ? 0 : Math.min(Math.max(at + step, 0), links.length - 1)]?.focus();
}
function foldAll() {
  const open = !all(".family details").some((details) => details.open);
  for (const details of all(".family details")) details.open = open;
}
const stripKeys = {
  ArrowDown: () => showFamily(current + 1),
  ArrowUp: () => showFamily(current - 1),
  ArrowRight: () => alongMembers(1),
  ArrowLeft: () => alongMembers(-1),
  " ": () => fold(families[current]),
  a: foldAll,
};

// Pairs.
function showPair(number, { address = true } = {}) {
  if (number < 0 || number >= pairs.length) {
    const next = one(number < 0 ? "[rel=prev]" : "[rel=next]");
    if (next) location.href = next.href + (number < 0 ? "#last" : "");
    return;
  }
  setBlink(false);
  pairs[current]?.classList.remove("current");
  current = number;
  pairs[number].classList.add("current");
  showPlace();
  scrollToPair({ toPictures: address });
  announce();
  showVerdicts();
  if (address) {
    try {
      history.replaceState(null, "", `#${pairs[number].id}`);
    } catch { /* the address stays */ }
  }
}
// If the beginning of the pair is above the window, or behind the tools that stay at its top, it is scrolled to; also if
// a picture ends behind the bar, unless the person only opened the page.
function scrollToPair({ toPictures = false } = {}) {
  if (!pairs[current]) return;
  const hidden = Math.max(0, one(".tools")?.getBoundingClientRect().bottom ?? 0);
  const bar = one(".bar")?.getBoundingClientRect().top ?? Infinity;
  const isCut = one(".sides", pairs[current]).getBoundingClientRect().bottom > bar;
  if (pairs[current].getBoundingClientRect().top < hidden - 1 || (toPictures && isCut)) pairs[current].scrollIntoView();
}
// What a screen reader says of the pair that is shown.
function announce() {
  const texts = ["h2", ".score"].map((part) => one(part, pairs[current]).textContent);
  one("#announced").textContent = [one("#place").textContent, ...texts].join(". ");
}
let showPlace = () => { one("#place").textContent = `${Number(document.body.dataset.start || 0) + current + 1} of ${document.body.dataset.total}`; };
// The next pair in one direction; hidden ones are passed over.
let step = (by) => {
  let at = current + by;
  while (isHidden(pairs[at])) at += by;
  showPair(at);
};
function isHidden(pair) {
  return Boolean(pair) && document.body.classList.contains("hide-judged") && Boolean(book.find(pair));
}
function toAnotherKeeper(by) {
  const keeper = pairs[current]?.dataset.keeper;
  let at = current;
  while (pairs[at] && (pairs[at].dataset.keeper === keeper || isHidden(pairs[at]))) at += by;
  if (pairs[at]) showPair(at);
}
function press(name, on) {
  one(`[data-act=${name}]`).setAttribute("aria-pressed", String(on));
}
function toggleOutlines() {
  press("outlines", !document.body.classList.toggle("no-outlines"));
}
let blinking;
function setBlink(on) {
  clearInterval(blinking);
  blinking = undefined;
  press("blink", on);
  for (const image of all(".side img[data-own]")) image.src = image.dataset.own;
  if (!pairs[current]) return;
  const [here, there] = all(".side", pairs[current]).slice(0, 2).map((side) => one("img", side));
  if (!on || !here || !there) return;
  here.dataset.own = here.src;
  let other = false;
  blinking = setInterval(() => { other = !other; here.src = other ? there.src : here.dataset.own; }, 600);
}

// Enlarged pictures: both sides move and grow together.
const zoom = one("#zoom");
const view = { scale: 1, x: 0, y: 0, swapped: false };
const BORDER = 0.75;  // a picture never leaves more of its pane than this
function enlarge(only) {
  const overs = all(".side", pairs[current]).slice(0, 2).map((side) => one(".over", side));
  if (!zoom || !pairs[current] || !overs.some((over) => one("img", over))) return;
  setBlink(false);
  all(".pane", zoom).forEach((pane, at) => {
    const small = one("img", overs[at]);
    const image = new Image();
    pane.replaceChildren(...(small ? [image] : []));
    pane.hidden = !small || (only !== undefined && only !== at);
    if (!small) return;
    image.alt = small.alt;
    image.src = small.src;
    image.width = small.width;
    image.height = small.height;
    const native = overs[at].dataset.native;
    if (!native) return;
    const large = new Image();
    large.onload = () => { if (image.isConnected) { image.src = large.src; image.dataset.full = large.naturalWidth; placePictures(); } };
    large.src = native;
  });
  Object.assign(view, { scale: 1, x: 0, y: 0, swapped: false, change: findLargestChange() });
  if (!zoom.open) zoom.showModal();
  placePictures();
}
// The centre of the largest outline, in shares of the picture; those that count come first.
function findLargestChange() {
  const boxes = all("symbol polygon:not(.ignored-edge)", pairs[current]).map((outline) => {
    const points = outline.getAttribute("points").split(" ").map((point) => point.split(",").map(Number));
    const ends = [0, 1].map((axis) => points.map((point) => point[axis])).map((ofAxis) => [Math.min(...ofAxis), Math.max(...ofAxis)]);
    const [[left, right], [top, bottom]] = ends;
    const size = (right - left) * (bottom - top) + (outline.matches(".counts") ? 1e6 : 0);
    return { size, x: (left + right) / 2000, y: (top + bottom) / 2000 };
  });
  return boxes.sort((one, other) => other.size - one.size)[0];
}
function placePictures() {
  view.x = Math.min(Math.max(view.x, -BORDER * view.scale), BORDER * view.scale);
  view.y = Math.min(Math.max(view.y, -BORDER * view.scale), BORDER * view.scale);
  const panes = all(".pane", zoom).filter((pane) => !pane.hidden);
  for (const pane of panes) {
    const image = one("img", pane);
    image.style.transform = `translate(${view.x * pane.clientWidth}px, ${view.y * pane.clientHeight}px) scale(${view.scale})`;
  }
  if (panes.length === 2) zoom.classList.toggle("swapped", view.swapped);
}
// Of two pictures each takes the other's place; a single one is replaced by the other.
function swap() {
  const panes = all(".pane", zoom).filter((pane) => one("img", pane));
  if (panes.length < 2) return;
  if (panes.some((pane) => pane.hidden)) for (const pane of panes) pane.hidden = !pane.hidden;
  else view.swapped = !view.swapped;
  placePictures();
}
function judgeEnlarged(verdict) {
  zoom.close();
  judge(verdict);
}
// The first step of a key leads to the largest change.
function grow(by, { toChange = false } = {}) {
  const scale = Math.min(Math.max(view.scale * by, 1), 32);
  if (toChange && view.scale === 1 && scale > 1 && view.change) {
    const image = one(".pane:not([hidden]) img", zoom), { clientWidth, clientHeight } = image.parentElement;
    const fit = Math.min(clientWidth / image.width, clientHeight / image.height);
    view.x = (0.5 - view.change.x) * image.width * fit / clientWidth;
    view.y = (0.5 - view.change.y) * image.height * fit / clientHeight;
  }
  view.x *= scale / view.scale;
  view.y *= scale / view.scale;
  view.scale = scale;
  placePictures();
}
function actualSize() {
  const image = one(".pane:not([hidden]) img", zoom);
  const fit = Math.min(image.parentElement.clientWidth / image.width, image.parentElement.clientHeight / image.height);
  const scale = Math.max(1, (image.dataset.full || image.naturalWidth) / devicePixelRatio / (image.width * fit));
  grow(scale / view.scale, { toChange: true });
}
function move(x, y) {
  view.x += x;
  view.y += y;
  placePictures();
}
const zoomKeys = {
  ArrowRight: () => move(-0.1, 0),
  ArrowLeft: () => move(0.1, 0),
  ArrowDown: () => move(0, -0.1),
  ArrowUp: () => move(0, 0.1),
  "+": () => grow(1.5, { toChange: true }),
  "=": () => grow(1.5, { toChange: true }),
  "-": () => grow(1 / 1.5),
  b: swap,
  s: () => judgeEnlarged("same"),
  d: () => judgeEnlarged("different"),
  z: () => zoom.close(),
  1: () => enlarge(0),
  2: () => enlarge(1),
  0: actualSize,
};
if (zoom) {
  let last;
  zoom.addEventListener("pointerdown", (event) => { if (event.target.closest(".pane")) last = event; });
  zoom.addEventListener("pointermove", (event) => {
    if (!last || !event.buttons) return;
    const pane = one(".pane:not([hidden])", zoom);
    move((event.clientX - last.clientX) / pane.clientWidth, (event.clientY - last.clientY) / pane.clientHeight);
    last = event;
  });
  window.addEventListener("pointerup", () => { last = undefined; });
  zoom.addEventListener("wheel", (event) => { event.preventDefault(); grow(event.deltaY < 0 ? 1.2 : 1 / 1.2); }, { passive: false });
  zoom.addEventListener("dblclick", actualSize);
  window.addEventListener("resize", () => { if (zoom.open) placePictures(); });
}

// Verdicts. `book` has them: find(pair) gives {verdict, state}, change(pair, verdict, note) sets or (null) withdraws.
// The book of a report is this browser's storage; it is written to a CSV file on request.
let book = {
  find: (pair) => kept.rows[pair.id],
  set(id, row) {
    if (row) kept.rows[id] = row;
    else delete kept.rows[id];
  },
  give(pair, verdict) {
    load();
    const before = kept.rows[pair.id];
    const note = one("[name=note]", pair).value;
    if (before?.verdict === verdict && before.note === note) return;
    const row = { pair: JSON.parse(pair.dataset.pair), verdict, note, list: document.body.dataset.list };
    kept.undo = [...kept.undo.slice(-499), { id: pair.id, before, after: row }];
    kept.redo = [];
    this.set(pair.id, row);
    save();
  },
  undo: () => turn("undo", "redo", "before"),
  redo: () => turn("redo", "undo", "after"),
  canUndo: () => kept.undo.length > 0,
  canRedo: () => kept.redo.length > 0,
  summary() {
    const { list, total } = document.body.dataset;
    const judged = new Set(Object.keys(kept.rows).filter((id) => kept.rows[id].list === list));
    for (const pair of pairs) if (kept.rows[pair.id]) judged.add(pair.id);
    return `${judged.size} of ${total} judged`;
  },
};
// Takes the last change from one stack to the other, and goes to its pair.
function turn(from, to, side) {
  load();
  const change = kept[from].pop();
  if (!change) return;
  kept[to].push(change);
  book.set(change.id, change[side]);
  save();
  const at = pairs.findIndex((pair) => pair.id === change.id);
  if (at >= 0) showPair(at);
  showVerdicts();
}
function judge(verdict) {
  if (!pairs[current]) return;
  book.give(pairs[current], verdict);
  showVerdicts();
  advance();
}
let advance = () => step(1);
const STATES = { sending: "…", waiting: "waits", recorded: "✓" };
function showVerdicts() {
  const now = pairs[current] && book.find(pairs[current]);
  for (const button of all(".bar [data-verdict]")) {
    button.setAttribute("aria-pressed", String(now?.verdict === button.dataset.verdict));
  }
  for (const pair of pairs) {
    const given = book.find(pair), badge = one(".given", pair);
    badge.hidden = !given;
    badge.textContent = given ? `${given.verdict || "undo"} ${STATES[given.state] || ""}${given.by ? ` by ${given.by}` : ""}`.trim() : "";
  }
  one("[data-act=undo]").disabled = !book.canUndo();
  one("[data-act=redo]").disabled = !book.canRedo();
  one("#collected").textContent = book.summary();
}
// A CSV file as `verdict --from` reads it.
const cell = (value) => (/[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value);
function csvOf(rows) {
  const lines = [["image_a", "image_b", "verdict", "by", "note", "path_a", "path_b", "hash_a", "hash_b"], ...rows];
  return lines.map((line) => line.map((value) => cell(String(value))).join(",") + "\r\n").join("");
}
function download() {
  load();
  saveCsv(Object.values(kept.rows).map(({ pair: [a, b, ...known], verdict, note }) =>
    [a, b, verdict, kept.by, note, ...known]));
}
function saveCsv(rows) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([csvOf(rows)], { type: "text/csv" }));
  link.download = "verdicts.csv";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}
function forget() {
  load();
  Object.assign(kept, { rows: {}, undo: [], redo: [] });
  save();
  showVerdicts();
}
const pairKeys = {
  ArrowRight: () => step(1),
  ArrowLeft: () => step(-1),
  ArrowDown: () => toAnotherKeeper(1),
  ArrowUp: () => toAnotherKeeper(-1),
  s: () => judge("same"),
  d: () => judge("different"),
  u: () => book.undo(),
  U: () => book.redo(),
  o: toggleOutlines,
  b: () => setBlink(blinking === undefined),
  z: () => enlarge(),
  1: () => enlarge(0),
  2: () => enlarge(1),
  n: () => pairs[current] && one("[name=note]", pairs[current]).focus(),
  Escape: () => pairs[current] && one(".back", pairs[current])?.click(),
};

const help = one("#help");
const acts = {
  help: () => {
    if (help.open) return help.close();
    help.showModal();
    help.scrollTop = 0;  // its button at the end has the focus
  },
  before: () => step(-1),
  after: () => step(1),
  undo: () => book.undo(),
  redo: () => book.redo(),
  outlines: toggleOutlines,
  blink: pairKeys.b,
  enlarge: () => enlarge(),
  shrink: zoomKeys["-"],
  grow: zoomKeys["+"],
  actual: actualSize,
  swap,
  close: () => zoom.close(),
  download,
  forget,
};
document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  const side = event.target.closest(".pair .side");
  if (button?.dataset.verdict) (zoom.open ? judgeEnlarged : judge)(button.dataset.verdict);
  else if (button) acts[button.dataset.act]?.();
  else if (side && event.target.closest(".over") && !event.target.closest("a")) {
    const at = all(".side", pairs[current]).indexOf(side);
    enlarge(at < 2 ? at : undefined);
  }
});
// The key as it is on a Latin keyboard, whatever the layout and Caps Lock.
function keyOfEvent(event) {
  const isLatin = /^[a-z]$/i.test(event.key), letter = isLatin ? event.key : /^Key([A-Z])$/.exec(event.code)?.[1];
  if (!letter || (isLatin && !event.getModifierState("CapsLock"))) return event.key;
  return event.shiftKey ? letter.toUpperCase() : letter.toLowerCase();
}
document.addEventListener("keydown", (event) => {
  const key = keyOfEvent(event);
  const isUndo = (event.ctrlKey || event.metaKey) && key.toLowerCase() === "z" && isPairPage;
  if (event.target.matches("input:not([type=checkbox]), textarea")) {
    if (["Enter", "Escape"].includes(event.key) && !event.target.form) {
      event.target.blur();
      scrollToPair();
    }
    return;
  }
  if (!isUndo && (event.ctrlKey || event.altKey || event.metaKey)) return;
  if (event.key === "?") return acts.help();
  const menu = one("details.cameras[open]");
  if (event.key === "Escape" && menu && !one("dialog[open]")) {
    menu.open = false;
    return one("summary", menu).focus();
  }
  if (help.open || (event.key === " " && event.target.matches("button"))) return;
  if (!zoom?.open && one("dialog[open]")) return;
  const keys = zoom?.open ? zoomKeys : isPairPage ? pairKeys : families.length ? stripKeys : {};
  const act = isUndo ? (event.shiftKey ? pairKeys.U : pairKeys.u) : keys[key];
  if (!act) return;
  event.preventDefault();
  if (!event.repeat || event.key.startsWith("Arrow")) act();  // a held key counts once
});

function showAddressed() {
  if (pairs.length) {
    const named = pairs.findIndex((pair) => `#${pair.id}` === location.hash);
    showPair(location.hash === "#last" ? pairs.length - 1 : Math.max(named, 0), { address: false });
  } else {
    const named = families.findIndex((family) => `#${family.id}` === location.hash);
    if (named >= 0) showFamily(named);
  }
}
for (const family of families) {
  family.tabIndex = -1;
  family.addEventListener("focusin", () => {
    families[current]?.classList.remove("current");
    current = families.indexOf(family);
    family.classList.add("current");
  });
}
if (pairs.length && !live) {
  load();
  one("#by").value = kept.by;
  one("#by").addEventListener("input", (event) => { load(); kept.by = event.target.value; save(); });
  for (const pair of pairs) {
    const note = one("[name=note]", pair);
    note.value = kept.rows[pair.id]?.note || "";
    note.addEventListener("input", () => {
      load();
      if (kept.rows[pair.id]) { kept.rows[pair.id].note = note.value; save(); }
    });
  }
  one("#hide").addEventListener("change", (event) => {
    document.body.classList.toggle("hide-judged", event.target.checked);
    if (isHidden(pairs[current])) step(1);
  });
  const followOtherTabs = () => { load(); showVerdicts(); };
  window.addEventListener("storage", followOtherTabs);
  window.addEventListener("pageshow", followOtherTabs);
}
if (!live) {
  showAddressed();
  window.addEventListener("hashchange", showAddressed);
}
