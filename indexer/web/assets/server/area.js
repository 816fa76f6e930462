// Draws ignored areas over a frame, asks the server what would be kept with them, and saves them.
"use strict";

const canvas = one("canvas"), pen = canvas.getContext("2d");
const drawing = one("#drawing"), frame = drawing.firstElementChild;
const camera = Number(drawing.dataset.camera);
const tool = (name) => one(`[data-tool=${name}]`);
let kind = "rectangle", items = [], drawn, asked = 0;

// What was saved from this tab, so that it can be undone also after the page was loaded again.
const SAVED = `indexer-area-${document.body.dataset.report}-${camera}`;
let saves = [];
try {
  saves = JSON.parse(sessionStorage.getItem(SAVED)) || [];
} catch { /* nothing was saved */ }
function showSaves(profile) {
  if (saves.at(-1)?.profile !== profile) saves = [];  // somebody else gave the camera another profile
  tool("revert").hidden = !saves.length;
  try {
    sessionStorage.setItem(SAVED, JSON.stringify(saves));
  } catch { /* in memory, then */ }
}

async function post(path, body) {
  const answer = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-Indexer": "1" },
    body: JSON.stringify({ camera, ...body }),
  }).catch(() => { throw new Error("The server does not answer."); });
  if (answer.status === 401) throw new Error("The server was started again: open the address that its terminal shows.");
  const result = await answer.json().catch(() => ({ error: `The server answers ${answer.status}.` }));
  if (!answer.ok) throw new Error(result.error);
  return result;
}
function pointOf(event) {
  const box = canvas.getBoundingClientRect();
  const within = (value) => Math.min(Math.max(value, 0), 1);
  return [within((event.clientX - box.left) / box.width), within((event.clientY - box.top) / box.height)];
}
function stroke(context, { kind: how, points, width }) {
  context.lineWidth = width;
  context.lineCap = context.lineJoin = "round";
  context.beginPath();
  points.forEach(([x, y], at) => context[at ? "lineTo" : "moveTo"](x * canvas.width, y * canvas.height));
  if (points.length === 1) context.lineTo(points[0][0] * canvas.width + 0.01, points[0][1] * canvas.height);
  context.globalCompositeOperation = how === "erase" ? "destination-out" : "source-over";
  context.stroke();
  context.globalCompositeOperation = "source-over";
}
function show() {
  pen.clearRect(0, 0, canvas.width, canvas.height);
  pen.strokeStyle = "#e69f00";
  for (const item of [...items, ...(drawn ? [drawn] : [])]) if (item.kind !== "rectangle") stroke(pen, item);
  pen.fillStyle = "#e69f00";
  for (const { x, y, wide, high } of rectanglesOf([...items, ...(drawn ? [drawn] : [])])) {
    pen.fillRect(x * canvas.width, y * canvas.height, wide * canvas.width, high * canvas.height);
  }
  tool("undo").disabled = !items.length;
}
function rectanglesOf(list) {
  return list.filter((item) => item.kind === "rectangle").map(({ points: [[ax, ay], [bx, by]] }) =>
    ({ x: Math.min(ax, bx), y: Math.min(ay, by), wide: Math.abs(ax - bx), high: Math.abs(ay - by) }))
    .filter(({ wide, high }) => wide > 0.002 && high > 0.002);
}
function area() {
  const rectangles = rectanglesOf(items).map(({ x, y, wide, high }) => {
    const left = Math.floor(x * 1e4) / 100, top = Math.floor(y * 1e4) / 100;
    return [left, top, Math.min(Math.round(wide * 1e4) / 100, 100 - left), Math.min(Math.round(high * 1e4) / 100, 100 - top)]
      .map((number) => Math.round(number * 100) / 100);
  });
  const strokes = items.filter((item) => item.kind !== "rectangle");
  if (!strokes.some((item) => item.kind === "paint")) return { rectangles, drawing: null };
  const ink = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d");
  for (const item of strokes) stroke(ink, item);
  const sheet = document.createElement("canvas");
  [sheet.width, sheet.height] = [canvas.width, canvas.height];
  const paper = sheet.getContext("2d");
  paper.fillStyle = "#fff";
  paper.fillRect(0, 0, sheet.width, sheet.height);
  paper.drawImage(ink.canvas, 0, 0);
  return { rectangles, drawing: sheet.toDataURL("image/png").split(",")[1] };
}
async function tryArea() {
  const number = (asked += 1);
  tool("save").disabled = true;
  const { rectangles, drawing } = area();
  if (!rectangles.length && !drawing) {
    one("#result").textContent = "Nothing is drawn.";
    return;
  }
  one("#result").textContent = "Trying …";
  try {
    const answer = await post("/area/try", { rectangles, drawing });
    if (number !== asked) return;
    const share = (100 * answer.ignored_share).toFixed(1);
    one("#result").textContent = `With this area ${answer.kept_with} of the ${answer.images} newest images would be kept; `
      + `now it is ${answer.kept}. ${share} % of the frame would be ignored.`;
    tool("save").disabled = false;
  } catch (problem) {
    if (number === asked) one("#result").textContent = problem.message;
  }
}
canvas.addEventListener("pointerdown", (event) => {
  if (!event.isPrimary || event.button) return;
  canvas.setPointerCapture(event.pointerId);
  const point = pointOf(event);
  drawn = { kind, points: kind === "rectangle" ? [point, point] : [point], width: Number(one("#brush").value) * canvas.width / 320 };
});
canvas.addEventListener("pointermove", (event) => {
  if (!drawn || !event.isPrimary) return;
  if (drawn.kind === "rectangle") drawn.points[1] = pointOf(event);
  else drawn.points.push(pointOf(event));
  show();
});
canvas.addEventListener("pointercancel", () => { drawn = undefined; show(); });
canvas.addEventListener("pointerup", () => {
  if (!drawn) return;
  items.push(drawn);
  drawn = undefined;
  show();
  tryArea();
});
// What the profile in force ignores, as the page of the camera has it now.
async function showIgnored() {
  const text = await fetch(`/camera/${camera}`).then((answer) => answer.text());
  const now = new DOMParser().parseFromString(text, "text/html").querySelector("#ignored-now");
  if (now) one("#ignored-now").src = now.getAttribute("src");
}
async function save() {
  tool("save").disabled = true;
  try {
    const saved = await post("/area/save", area());
    one("#saved").textContent = `Saved as the profile ${saved.profile}. The camera is decided again.`;
    one("#result").textContent = "";
    saves.push(saved);
    showSaves(saved.profile);
    items = [];
    await showIgnored();
    show();
  } catch (problem) {
    one("#saved").textContent = `Not saved: ${problem.message}`;
    tool("save").disabled = false;
  }
}
async function revert() {
  const { profile, own_before } = saves.at(-1);
  try {
    const undone = await post("/area/undo", { profile, own_before });
    one("#saved").textContent = `The profile ${undone.profile} decides the camera again.`;
    saves.pop();
    showSaves(undone.profile);
    await showIgnored();
  } catch (problem) {
    one("#saved").textContent = problem.message;
  }
}
const toolActs = { undo: () => { items.pop(); show(); tryArea(); }, save, revert };
for (const button of all("[data-tool]")) {
  button.addEventListener("click", () => {
    const { tool: name } = button.dataset;
    if (toolActs[name]) return toolActs[name]();
    kind = name;
    for (const other of all("[aria-pressed][data-tool]")) other.setAttribute("aria-pressed", String(other === button));
  });
}
document.addEventListener("keydown", (event) => {
  if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "z" || !items.length) return;
  event.preventDefault();
  toolActs.undo();
});
// The frame takes the space that the tools leave, and keeps its shape. Its file may be large: it comes later, if at all.
function fit() {
  const [width, height] = ["width", "height"].map((name) => Number(frame.getAttribute(name)));
  const most = Math.max(320, window.innerHeight - 330) * width / height;
  frame.style.width = `${Math.min(one("h1").clientWidth, most)}px`;
}
fit();
window.addEventListener("resize", fit);
if (frame.matches("img")) {
  const large = new Image();
  large.onload = () => { frame.src = large.src; };
  large.src = drawing.dataset.native;
}
showSaves(drawing.dataset.profile);
for (const [left, top, wide, high] of JSON.parse(drawing.dataset.proposed)) {
  items.push({ kind: "rectangle", points: [[left / 100, top / 100], [(left + wide) / 100, (top + high) / 100]] });
}
if (items.length) {
  show();
  tryArea();
}
