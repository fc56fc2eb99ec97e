// Data to be changed by hand. A click adds a point, a drag moves one, keys do both; each asks the
// server for another run by the trigger `edit`: {of, at, x, y} or {of, at, remove}, where `of` is
// the number of points that was looked at and `at` the place of one, null for a new one.
// The line follows the player: w and b are in data.units, the picture is in those of the data.

const SVG = "http://www.w3.org/2000/svg";
const CLICK = 5; // pixels that a finger may tremble

function ticks(low, high, room) { // at 1, 2 or 5 times a power of ten, at most `room` of them
  const rough = (high - low) / Math.max(1, room), power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((many) => many * power >= rough);
  const found = [];
  for (let i = Math.ceil(low / step); i * step <= high; i += 1) found.push(i * step);
  return { found, step };
}

function written(value, step) { // with the digits that tell ticks so far apart from each other
  const size = Math.abs(value), digits = Math.max(0, Math.ceil(-Math.log10(step) - 1e-9));
  if (size && (size >= 1e7 || step < 1e-4) && step / size > 1e-4) return value.toExponential(2).replace(/\.?0+e\+?/, "e").replaceAll("-", "−");
  return (Math.abs(value) < step / 2 ? 0 : value).toFixed(Math.min(digits, 12)).replace("-", "−");
}

function span(values) {
  const low = Math.min(...values), high = Math.max(...values);
  const extra = high > low ? 0.08 * (high - low) : Math.max(1, 0.05 * Math.abs(low));
  return [low - extra, high + extra];
}

export default function ({ parentElement, data, setTriggerValue }) {
  const root = parentElement.querySelector(".points"), { power, units, words, names, colors } = data;
  const [xMiddle, xOne, yMiddle, yOne] = units, points = data.points.map(([x, y]) => ({ x, y }));
  root.off?.abort();
  const off = (root.off = new AbortController());
  const on = (target, type, listener, more = {}) => target.addEventListener(type, listener, { signal: off.signal, ...more });
  root.classList.toggle("hall", data.lecture);
  let chosen = root.chosen < points.length ? root.chosen : null, waiting = 0, drag = null;

  const make = (name, attributes = {}, text = "") => {
    const one = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) one.setAttribute(key, value);
    one.textContent = text;
    return one;
  };
  const svg = make("svg", { tabindex: 0, role: "application", "aria-label": words.picture });
  const remove = Object.assign(document.createElement("button"), { type: "button", textContent: words.remove });
  const focused = root.contains(document.activeElement);
  root.replaceChildren(svg, remove);
  if (focused) svg.focus();

  const [xLow, xHigh] = span(points.map(({ x }) => x)), [yLow, yHigh] = span(points.map(({ y }) => y));
  let em = 16, box = { left: 0, right: 1, top: 0, bottom: 1 };
  const px = (x) => box.left + ((x - xLow) / (xHigh - xLow)) * (box.right - box.left);
  const py = (y) => box.bottom - ((y - yLow) / (yHigh - yLow)) * (box.bottom - box.top);
  const near = (y) => Math.max(-2e4, Math.min(2e4, py(y))); // what is far outside no picture can hold
  const inside = (event) => {
    const { left, top } = svg.getBoundingClientRect();
    const part = (at, from, to) => Math.max(0, Math.min(1, (at - from) / (to - from)));
    const x = xLow + part(event.clientX - left, box.left, box.right) * (xHigh - xLow);
    const y = yLow + part(event.clientY - top, box.bottom, box.top) * (yHigh - yLow);
    return { x: rounded(x, xHigh - xLow), y: rounded(y, yHigh - yLow) };
  };
  const rounded = (value, width) => { // to what a pixel can mean
    const step = 10 ** (Math.floor(Math.log10(width)) - 3);
    return Number((Math.round(value / step) * step).toPrecision(15));
  };

  const curve = make("path", { class: "curve", stroke: colors.model }), residuals = make("path", { class: "residuals", stroke: colors.residual });
  const ring = make("circle", { class: "chosen" }), told = make("text", { class: "told" });
  const outside = make("text", { class: "told", "text-anchor": "middle" }, words.outside);
  let dots = [];

  function draw() { // all that does not follow the player
    const { width, height } = svg.getBoundingClientRect();
    if (!width || !height) return;
    em = parseFloat(getComputedStyle(document.documentElement).fontSize);
    box = { left: 4.4 * em, right: width - 0.8 * em, top: 1.9 * em, bottom: height - 2.9 * em };
    const down = ticks(yLow, yHigh, (box.bottom - box.top) / (2.6 * em)), lines = [];
    const across = ticks(xLow, xHigh, (box.right - box.left) / (5 * em));
    for (const y of down.found) {
      lines.push(make("line", { class: "grid", x1: box.left, x2: box.right, y1: py(y), y2: py(y) }));
      lines.push(make("text", { x: box.left - 0.4 * em, y: py(y), "text-anchor": "end", "dominant-baseline": "central" }, written(y, down.step)));
    }
    for (const x of across.found) {
      lines.push(make("line", { class: "grid", x1: px(x), x2: px(x), y1: box.top, y2: box.bottom }));
      lines.push(make("text", { x: px(x), y: box.bottom + 1.1 * em, "text-anchor": "middle" }, written(x, across.step)));
    }
    const middle = (box.left + box.right) / 2, height_ = (box.top + box.bottom) / 2;
    const titles = [
      make("text", { class: "title", x: 0, y: 1 * em }, words.title),
      make("text", { x: middle, y: height - 0.5 * em, "text-anchor": "middle" }, `${names[0]} (${words.hint})`),
      make("text", { transform: `translate(${0.9 * em} ${height_}) rotate(-90)`, "text-anchor": "middle" }, names[1]),
    ];
    const clip = make("clipPath", { id: "points-inside" });
    clip.append(make("rect", { x: box.left, y: box.top, width: Math.max(0, box.right - box.left), height: Math.max(0, box.bottom - box.top) }));
    const radius = (points.length > 200 ? 0.18 : 0.3) * em;
    dots = points.map((_, at) => {
      const pair = [make("circle", { class: "halo", r: 0.8 * em, "data-at": at }), make("circle", { r: radius, fill: colors.data, "data-at": at })];
      return pair;
    });
    const group = make("g", { "clip-path": "url(#points-inside)", "stroke-width": 0.15 * em });
    residuals.setAttribute("stroke-width", 0.09 * em);
    ring.setAttribute("r", 0.65 * em);
    group.append(residuals, curve);
    svg.replaceChildren(clip, ...lines, ...titles, group, ...dots.map(([halo]) => halo), ...dots.map(([, dot]) => dot), ring, told, outside);
    place();
  }

  function place() { // points, and which one is chosen
    points.forEach(({ x, y }, at) => dots[at]?.forEach((one) => { one.setAttribute("cx", px(x)); one.setAttribute("cy", py(y)); }));
    const one = points[chosen];
    ring.style.display = one ? "" : "none";
    remove.hidden = !one || points.length < 2;
    told.textContent = one ? `${names[0]} ${short(one.x)}, ${names[1]} ${short(one.y)}` : "";
    if (one) {
      ring.setAttribute("cx", px(one.x));
      ring.setAttribute("cy", py(one.y));
      const left = px(one.x) > (box.left + box.right) / 2;
      told.setAttribute("text-anchor", left ? "end" : "start");
      told.setAttribute("x", px(one.x) + (left ? -1 : 1) * em);
      told.setAttribute("y", Math.max(box.top + em, py(one.y) - 0.6 * em));
    }
    follow();
  }

  const short = (value) => String(Number(value.toPrecision(7))).replaceAll("-", "−");

  function follow() { // the line and the residuals, at the step and the moment that are shown
    const frame = document.querySelector("#player-step")?.frame;
    if (!frame || !dots.length) return;
    const { values, moment } = frame, after = moment === 3 ? "_next" : "";
    const w = values[`w${after}`], b = values[`b${after}`];
    const line = (x) => yMiddle + yOne * ((w * (x ** power - xMiddle)) / xOne + b);
    const drawn = Number.isFinite(w) && Number.isFinite(b);
    const steps = power === 1 ? 1 : 60;
    const walk = Array.from({ length: steps + 1 }, (_, i) => xLow + (i / steps) * (xHigh - xLow));
    const heights = walk.map((x) => py(line(x))), above = !heights.some((height) => height >= box.top);
    const seen = drawn && !above && heights.some((height) => height <= box.bottom);
    outside.style.display = seen ? "none" : "";
    outside.setAttribute("x", (box.left + box.right) / 2);
    outside.setAttribute("y", above ? box.top + 1.2 * em : box.bottom - 0.6 * em);
    curve.setAttribute("d", drawn ? `M${walk.map((x) => `${px(x)} ${near(line(x))}`).join("L")}` : "");
    residuals.setAttribute("d", drawn && moment >= 1 ? points.map(({ x, y }) => `M${px(x)} ${py(y)}V${near(line(x))}`).join("") : "");
  }

  function choose(at) {
    chosen = root.chosen = at;
    place();
  }

  function send(edit) {
    clearTimeout(waiting);
    setTriggerValue("edit", { of: points.length, at: null, ...edit });
  }
  const moved = () => send({ at: chosen, ...points[chosen] });

  on(svg, "keyup", () => root.classList.add("keys")); // only those who use keys need to see the focus
  on(svg, "pointerdown", (event) => {
    root.classList.remove("keys");
    if (event.button) return;
    const at = event.target.dataset?.at;
    drag = { at: at === undefined ? null : Number(at), from: [event.clientX, event.clientY], moved: false };
    if (drag.at === null) return;
    svg.setPointerCapture(event.pointerId);
    choose(drag.at);
  });
  on(svg, "pointermove", (event) => {
    if (!drag) return;
    drag.moved ||= Math.hypot(event.clientX - drag.from[0], event.clientY - drag.from[1]) > CLICK;
    if (drag.at === null || !drag.moved) return;
    points[drag.at] = inside(event);
    place();
  });
  on(svg, "pointerup", (event) => {
    const done = drag;
    drag = null;
    if (!done) return;
    if (done.at !== null) return done.moved ? moved() : undefined;
    if (done.moved) return;
    if (chosen !== null) return choose(null); // the first click elsewhere lets go
    send(inside(event));
  });
  on(svg, "pointercancel", () => { drag = null; });
  on(remove, "click", () => { const at = chosen; choose(null); send({ at, remove: true }); });

  const order = () => points.map((_, at) => at).sort((a, b) => points[a].x - points[b].x);
  function next(by) {
    const sorted = order();
    choose(sorted[(sorted.indexOf(chosen) + by + sorted.length) % sorted.length] ?? sorted[0]);
  }
  on(svg, "keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const by = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    const act = {
      n: () => next(1), p: () => next(-1), Escape: () => choose(null),
      Enter: () => send({ x: rounded((xLow + xHigh) / 2, xHigh - xLow), y: rounded((yLow + yHigh) / 2, yHigh - yLow) }),
      Delete: () => !remove.hidden && remove.click(), Backspace: () => !remove.hidden && remove.click(),
    }[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (by && chosen === null) next(1);
    else if (by) {
      const one = points[chosen], step = 0.02;
      points[chosen] = { x: rounded(one.x + by[0] * step * (xHigh - xLow), xHigh - xLow), y: rounded(one.y + by[1] * step * (yHigh - yLow), yHigh - yLow) };
      place();
      clearTimeout(waiting);
      waiting = setTimeout(moved, 500);
    } else if (act) act();
    else return;
    event.preventDefault();
  });

  on(document, "input", (event) => event.target.id === "player-step" && requestAnimationFrame(follow), { capture: true });
  const resized = new ResizeObserver(draw);
  resized.observe(svg);
  off.signal.addEventListener("abort", () => { resized.disconnect(); clearTimeout(waiting); });
  draw();
  return () => off.abort();
}
