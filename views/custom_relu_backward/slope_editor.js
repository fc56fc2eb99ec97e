// The curves of a forward and its backward. Each slope of the backward that can be chosen has a
// handle, which is a slider: it is pulled with a pointer, and moved with the arrow keys. What is
// chosen asks the server by the trigger `pull`: {below, at, above}, those that there are. While an
// answer is awaited nothing more is sent; then the newest is.

const SVG = "http://www.w3.org/2000/svg";
const STEP = 0.05, KEY_STEP = 0.1, LEAST = -1.5, MOST = 3.2; // of slopes; what the picture shows at least
const PATIENCE = 3000; // ms for an answer

const short = (value) => String(Number(value.toFixed(2))).replace("-", "−");

export default function ({ parentElement, data, setTriggerValue }) {
  const root = parentElement.querySelector(".slopes"), { words, colors, reach } = data;
  root.off?.abort();
  const off = (root.off = new AbortController());
  const on = (target, type, listener) => target.addEventListener(type, listener, { signal: off.signal });
  root.classList.toggle("hall", data.lecture);

  // What was pulled since the server was asked is newer than what it says.
  const names = Object.keys(data.slopes), slopes = { ...data.slopes };
  const asked = root.asked;
  root.asked = null;
  if (root.wanted && JSON.stringify(root.wanted) !== JSON.stringify(asked)) for (const name of names) slopes[name] = root.wanted[name] ?? slopes[name];
  else root.wanted = null;

  const make = (name, attributes = {}, text = "") => {
    const one = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) one.setAttribute(key, value);
    one.textContent = text;
    return one;
  };
  const legend = document.createElement("div");
  legend.className = "legend";
  const shown = [["forward", "solid"], ["truth", "dotted"], ["backward", "solid"]].map(([name, dash]) => [words[name], colors[name], dash]);
  if (data.extra.length) shown.push([data.extra_name, colors.backward, "dashed"]);
  legend.append(Object.assign(document.createElement("b"), { textContent: words.title }), ...shown.map(([text, color, dash]) => {
    const entry = document.createElement("span"), line = document.createElement("i");
    line.style.borderTop = `3px ${dash} ${color}`;
    entry.append(line, text);
    return entry;
  }));
  const svg = make("svg", { role: "group", "aria-label": `${words.title}: ${words.pull}` });
  const focused = root.contains(document.activeElement) ? document.activeElement.dataset?.name : null;
  const curves = make("g"), front = make("g"); // what is drawn anew, and the handles, which keep the focus
  svg.append(curves, front);
  root.replaceChildren(legend, svg);

  let em = 16, box = { left: 0, right: 1, top: 0, bottom: 1 };
  let [low, high] = root.span ?? [LEAST, MOST]; // which stays while a handle is held
  const px = (x) => box.left + ((x + reach) / (2 * reach)) * (box.right - box.left);
  const py = (y) => box.bottom - ((y - low) / (high - low)) * (box.bottom - box.top);
  const places = { below: -0.55 * reach, at: 0, above: 0.55 * reach };
  const line = (points) => points.map(([x, y], i) => `${i ? "L" : "M"}${px(x)} ${py(y)}`).join("");
  const backward = make("path", { stroke: colors.backward });
  const handles = {};

  function limits() { // all that is drawn, and a margin
    const all = [...data.forward, ...data.truth.flat(), ...data.backward.flat(), ...data.extra].map(([, y]) => y);
    low = Math.min(LEAST, ...all.map((y) => y - 0.5), ...Object.values(slopes).map((y) => y - 0.5));
    high = Math.max(MOST, ...all.map((y) => y + 0.3), ...Object.values(slopes).map((y) => y + 0.5));
    root.span = [low, high];
  }

  function draw() {
    const { width, height } = svg.getBoundingClientRect();
    if (!width || !height) return;
    em = parseFloat(getComputedStyle(document.documentElement).fontSize);
    box = { left: 2.2 * em, right: width - 0.6 * em, top: 0.6 * em, bottom: height - 1.6 * em };
    if (!root.held) limits();
    const parts = [];
    const every = [1, 2, 5].find((by) => ((high - low) / by) * 1.3 * em < box.bottom - box.top) ?? 10;
    for (let y = Math.ceil(low / every) * every; y <= high; y += every) {
      parts.push(make("line", { class: y ? "grid" : "zero", x1: box.left, x2: box.right, y1: py(y), y2: py(y) }));
      parts.push(make("text", { x: box.left - 0.4 * em, y: py(y), "text-anchor": "end", "dominant-baseline": "central" }, short(y)));
    }
    for (let x = -reach; x <= reach; x += 1) {
      parts.push(make("line", { class: x ? "grid" : "zero", x1: px(x), x2: px(x), y1: box.top, y2: box.bottom }));
      parts.push(make("text", { x: px(x), y: height - 0.4 * em, "text-anchor": "middle" }, short(x)));
    }
    const thick = 0.2 * em;
    parts.push(make("path", { stroke: colors.forward, "stroke-width": thick, d: line(data.forward) }));
    parts.push(make("path", { stroke: colors.truth, "stroke-width": thick, "stroke-dasharray": `${0.1 * em} ${0.35 * em}`, "stroke-linecap": "round", d: data.truth.map(line).join("") }));
    if (data.extra.length) parts.push(make("path", { stroke: colors.backward, "stroke-width": thick, "stroke-dasharray": `${0.6 * em} ${0.35 * em}`, d: line(data.extra) }));
    backward.setAttribute("stroke-width", thick);
    parts.push(backward);
    if (!names.includes("at")) parts.push(make("circle", { cx: px(0), cy: py(data.at), r: 0.3 * em, fill: colors.backward }));
    for (const name of names) {
      if (!handles[name]) front.append((handles[name] = handle(name)));
      handles[name].querySelector(".halo").setAttribute("r", 1.1 * em);
      handles[name].querySelector(".knob").setAttribute("r", 0.48 * em);
    }
    curves.replaceChildren(...parts);
    place();
  }

  function handle(name) {
    const one = make("g", { class: "handle", tabindex: 0, role: "slider", "aria-label": words.handles[name], "aria-orientation": "vertical", "aria-valuemin": -data.steepest, "aria-valuemax": data.steepest, "data-name": name });
    one.append(make("circle", { class: "halo" }), make("circle", { class: "knob", fill: colors.backward }), make("text", { class: "told", "text-anchor": "middle" }));
    on(one, "pointerdown", (event) => {
      if (event.button) return;
      one.focus({ preventScroll: true });
      one.classList.add("held");
      root.held = name;
      event.preventDefault();
    });
    on(one, "keydown", (event) => {
      const by = { ArrowUp: 1, ArrowRight: 1, ArrowDown: -1, ArrowLeft: -1 }[event.key];
      if (!by || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      move(name, slopes[name] + by * (event.shiftKey ? STEP : KEY_STEP));
      if (slopes[name] < low || slopes[name] > high) draw();
    });
    return one;
  }

  function place() {
    const sides = data.backward.map((points, side) => {
      const slope = slopes[["below", "above"][side]];
      return slope === undefined ? points : points.map(([x]) => [x, slope]);
    });
    backward.setAttribute("d", sides.map(line).join(""));
    for (const name of names) {
      const one = handles[name], text = one.querySelector(".told");
      one.setAttribute("transform", `translate(${px(places[name])} ${py(slopes[name])})`);
      one.setAttribute("aria-valuenow", Number(slopes[name].toFixed(2)));
      one.setAttribute("aria-valuetext", short(slopes[name]));
      text.textContent = short(slopes[name]);
      const above = py(slopes[name]) > box.top + 1.9 * em;
      text.setAttribute("y", (above ? -0.85 : 1.5) * em);
    }
  }

  function move(name, value) {
    const steps = Math.round(value / STEP) * STEP;
    slopes[name] = Number(Math.max(-data.steepest, Math.min(data.steepest, steps)).toFixed(2));
    place();
    ask();
  }

  function ask() { // one question at a time
    root.wanted = { ...slopes };
    if (root.asked && performance.now() - root.askedAt < PATIENCE) return;
    if (JSON.stringify(root.wanted) === JSON.stringify(data.slopes)) return;
    root.asked = root.wanted;
    root.askedAt = performance.now();
    setTriggerValue("pull", root.asked);
  }

  on(document, "pointermove", (event) => { // an answer that comes meanwhile puts a new handle in its place
    if (!root.held) return;
    const { top } = svg.getBoundingClientRect();
    move(root.held, low + ((box.bottom - (event.clientY - top)) / (box.bottom - box.top)) * (high - low));
  });
  const release = () => {
    if (!root.held) return;
    handles[root.held]?.classList.remove("held");
    root.held = null;
    draw();
    ask();
  };
  on(document, "pointerup", release);
  on(document, "pointercancel", release);

  const resized = new ResizeObserver(draw);
  resized.observe(svg);
  off.signal.addEventListener("abort", () => resized.disconnect());
  draw();
  if (focused) handles[focused]?.focus({ preventScroll: true });
  if (root.held) handles[root.held]?.classList.add("held");
  if (root.wanted) ask();
  return () => off.abort();
}
