// The report's keys and verdicts. Every page is whole without it: pairs are then listed one below the other.
"use strict";

const one = (selector, within = document) => within.querySelector(selector);
const all = (selector, within = document) => [...within.querySelectorAll(selector)];
const families = all(".family");
const pairs = all(".pair");
let current = -1;

document.documentElement.classList.add("js");

// If the browser refuses to store data, it is kept in memory until the page closes. Other tabs write, too:
// it is read again before each change.
const KEY = `indexer-verdicts-${document.body.dataset.report}`;
let kept = { by: "", rows: {} };
function load() {
  try {
    kept = JSON.parse(localStorage.getItem(KEY)) || kept;
  } catch { /* in memory, then */ }
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
  pairs[current]?.classList.remove("current");
  current = number;
  pairs[number].classList.add("current");
  one("#place").textContent = `${number + 1} of ${pairs.length}`;
  document.body.classList.remove("blink");
  setBlink(false);
  if (address) {
    try {
      history.replaceState(null, "", `#${pairs[number].id}`);
    } catch { /* the address stays */ }
  }
}
function toAnotherKeeper(step) {
  const keeper = pairs[current].dataset.keeper;
  let at = current;
  while (pairs[at] && pairs[at].dataset.keeper === keeper) at += step;
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
  const [here, there] = all(".side", pairs[current]).slice(0, 2).map((side) => one("img", side));
  if (!on || !here || !there) return;
  here.dataset.own = here.src;
  let other = false;
  blinking = setInterval(() => { other = !other; here.src = other ? there.src : here.dataset.own; }, 600);
}
const pairKeys = {
  ArrowRight: () => showPair(current + 1),
  ArrowLeft: () => showPair(current - 1),
  ArrowDown: () => toAnotherKeeper(1),
  ArrowUp: () => toAnotherKeeper(-1),
  s: () => judge(pairs[current], "same"),
  d: () => judge(pairs[current], "different"),
  o: toggleOutlines,
  b: () => setBlink(blinking === undefined),
  Escape: () => one(".back", pairs[current]).click(),
};

// Verdicts.
function judge(pair, verdict) {
  load();
  const held = kept.rows[pair.id];
  if (held && held.verdict === verdict) delete kept.rows[pair.id];
  else kept.rows[pair.id] = { pair: JSON.parse(pair.dataset.pair), verdict, note: one("[name=note]", pair).value };
  save();
  showVerdicts();
}
function showVerdicts() {
  for (const button of all("[data-verdict]")) {
    const held = kept.rows[button.closest(".pair").id];
    button.setAttribute("aria-pressed", String(Boolean(held) && held.verdict === button.dataset.verdict));
  }
  const count = Object.keys(kept.rows).length;
  one("#collected").textContent = count === 0 ? "No verdict yet." : `${count} verdict${count === 1 ? "" : "s"} collected.`;
}
const cell = (value) => (/[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value);
function csv() {
  const rows = Object.values(kept.rows).map(({ pair: [a, b, ...known], verdict, note }) =>
    [a, b, verdict, kept.by, note, ...known]);
  const lines = [["image_a", "image_b", "verdict", "by", "note", "path_a", "path_b", "hash_a", "hash_b"], ...rows];
  return lines.map((line) => line.map((value) => cell(String(value))).join(",") + "\r\n").join("");
}
function download() {
  load();
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([csv()], { type: "text/csv" }));
  link.download = "verdicts.csv";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}
function forget() {
  load();
  kept.rows = {};
  save();
  showVerdicts();
}

const help = one("#help");
const acts = {
  help: () => (help.open ? help.close() : help.showModal()),
  before: () => showPair(current - 1),
  after: () => showPair(current + 1),
  outlines: toggleOutlines,
  blink: pairKeys.b,
  download,
  forget,
};
document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if (button.dataset.verdict) judge(button.closest(".pair"), button.dataset.verdict);
  else acts[button.dataset.act]?.();
});
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.target.matches("input")) return;
  if (event.key === "?") return acts.help();
  if (help.open || (event.key === " " && event.target.matches("button"))) return;
  const act = (pairs.length ? pairKeys : families.length ? stripKeys : {})[event.key];
  if (!act) return;
  event.preventDefault();
  if (!event.repeat || event.key.startsWith("Arrow")) act();  // a held key must not take back what it gave
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
if (pairs.length) {
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
    one(".judge", pair).addEventListener("submit", (event) => event.preventDefault());
  }
  const followOtherTabs = () => { load(); showVerdicts(); };
  window.addEventListener("storage", followOtherTabs);
  window.addEventListener("pageshow", followOtherTabs);
  showVerdicts();
}
showAddressed();
window.addEventListener("hashchange", showAddressed);
