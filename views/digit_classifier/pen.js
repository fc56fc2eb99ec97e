// A sheet to draw on with any pointer. After each stroke all strokes go to the server, by the trigger
// `drawn`: {strokes: [[[x, y], …], …]} with x and y from 0 to 1. What is on the sheet is newer than
// what the server says, unless that has another name: a digit that is ready.

const SVG = "http://www.w3.org/2000/svg";
const NEAR = 0.012; // points nearer than that to the last one are left out
const OWN = "own";

export default function ({ parentElement, data, setTriggerValue }) {
  const root = parentElement.querySelector(".pen"), { words } = data;
  root.off?.abort();
  const off = (root.off = new AbortController());
  const on = (target, type, listener) => target.addEventListener(type, listener, { signal: off.signal });
  if (root.name !== data.name && !(root.stroke && data.name === OWN)) {
    root.name = data.name;
    root.strokes = data.strokes.map((stroke) => [...stroke]);
  }
  const svg = document.createElementNS(SVG, "svg");
  for (const [name, value] of Object.entries({ viewBox: "0 0 1 1", preserveAspectRatio: "xMidYMin", role: "img", "aria-label": words.sheet })) svg.setAttribute(name, value);
  const title = Object.assign(document.createElement("b"), { textContent: words.title });
  const clear = Object.assign(document.createElement("button"), { type: "button", textContent: words.clear });
  const focused = document.activeElement?.closest(".pen button");
  root.replaceChildren(title, clear, svg);
  if (focused) clear.focus({ preventScroll: true });

  function draw() {
    svg.innerHTML = '<rect width="1" height="1" rx="0.02" />';
    for (const stroke of root.strokes) {
      const path = document.createElementNS(SVG, "path");
      path.setAttribute("d", `M${stroke.map((at) => at.join(" ")).join("L")}${stroke.length === 1 ? "h0.0001" : ""}`);
      svg.append(path);
    }
    clear.disabled = root.strokes.length === 0;
  }

  function place(event) { // in the sheet's own measure, whatever its size
    const { left, top, width, height } = svg.getBoundingClientRect(), size = Math.min(width, height);
    const inside = [event.clientX - left - (width - size) / 2, event.clientY - top];
    return inside.map((pixels) => Number(Math.min(1, Math.max(0, pixels / size)).toFixed(3)));
  }

  const send = () => setTriggerValue("drawn", { strokes: root.strokes });

  on(svg, "pointerdown", (event) => {
    if (event.button || root.stroke) return;
    event.preventDefault();
    if (root.name !== OWN) root.strokes = []; // on a new sheet
    root.name = OWN;
    root.strokes.push((root.stroke = [place(event)]));
    draw();
  });
  on(document, "pointermove", (event) => { // an answer that comes meanwhile puts a new sheet in its place
    if (!root.stroke || root.strokes.flat().length >= data.most) return;
    for (const one of event.getCoalescedEvents?.() ?? [event]) {
      const at = place(one), last = root.stroke.at(-1);
      if (Math.hypot(at[0] - last[0], at[1] - last[1]) >= NEAR && root.strokes.flat().length < data.most) root.stroke.push(at);
    }
    draw();
  });
  const release = () => {
    if (!root.stroke) return;
    root.stroke = null;
    send();
  };
  on(document, "pointerup", release);
  on(document, "pointercancel", release);
  on(clear, "click", () => { root.strokes = []; root.name = OWN; draw(); send(); });
  draw();
  return () => off.abort();
}
