// The player: owns the step and the moment in it, and tells everything on the page that follows them.
//
// #player-step   the range input a person moves; `.frame` on it holds this frame's numbers
// #player-state  hidden, put into the page before this module is loaded, because charts bind to it
//                when they are drawn; "step,phase,moment,values…,values one step later…"
//
// Slow motion goes through the moments of a step. Each belongs to one of four phases; data.parts
// says how many each phase has. Where data.slowAt is given, only these steps have them.
//
// Streamlit calls the default export again, without the cleanup, whenever `data` changes: all
// listeners of a call hang on one AbortController, which the next call aborts.

const UPDATE = 3; // the last phase; after the last step nothing is updated
const WHOLE = 4; // no slow motion: everything about the step is known, the update not yet made

const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer;

function decode(data) { // [name, {values, at}] in the order sent; `at` is null where each step has a value
  const arrays = data.arrays.map(({ type, values }) => (type === "f8" ? new Float64Array(bytes(values)) : new Float32Array(bytes(values))));
  const at = data.at.map((text) => new Int32Array(bytes(text)));
  return Object.entries(data.series).map(([name, one]) => {
    return [name, { values: arrays[one[0]], at: one[1] === null ? null : at[one[1]] }];
  });
}

function lastBefore(at, step) { // the place of the last entry at or before the step
  let low = 0, high = at.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (at[middle] <= step) low = middle; else high = middle - 1;
  }
  return low;
}

function valueAt({ values, at }, step) {
  return values[at === null ? Math.min(step, values.length - 1) : lastBefore(at, step)];
}

function isTyping(target, key) {
  if (!target.closest) return false;
  if (target.matches("input[type=checkbox]")) return false; // a toggle: the clicker must go on
  const clicker = key === "PageDown" || key === "PageUp"; // which means nothing to a choice once made
  if (clicker && target.closest("[role=radiogroup],[role=combobox][aria-expanded=false],.player select")) return false;
  return target.closest(
    "input,textarea,select,[contenteditable=''],[contenteditable=true],[role=slider],[role=listbox]," +
    "[role=combobox],[role=menu],[role=dialog],[role=grid],[role=radiogroup],[role=tablist]") !== null;
}

function takesSpace(target) {
  return target.closest && target.closest("button,a,summary,label,input,[role=button],[role=switch],[role=checkbox]") !== null;
}

export default function ({ parentElement, data }) {
  const find = (selector) => parentElement.querySelector(selector);
  const range = find("#player-step"), readout = find(".player-readout");
  const playButton = find("[data-action=play]"), speed = find("[data-control=speed]");
  const loop = find("[data-control=loop]"), slow = find("[data-control=slow]");
  const phaseBar = find(".player-phases"), words = data.words;

  range.off?.abort();
  const off = (range.off = new AbortController());
  const on = (target, type, listener) => target.addEventListener(type, listener, { signal: off.signal });

  const first = range.dataset.ready === undefined;
  range.dataset.ready = "yes";
  range.max = data.lastStep;
  if (first) label();
  const series = decode(data);
  const slowAt = data.slowAt && new Int32Array(bytes(data.slowAt));
  const starts = data.parts.map((_, phase) => data.parts.slice(0, phase).reduce((sum, n) => sum + n, 0));
  const moments = starts[UPDATE] + data.parts[UPDATE];

  function label() {
    find(".player").setAttribute("aria-label", words.player);
    phaseBar.setAttribute("aria-label", words.parts);
    range.setAttribute("aria-label", words.slider);
    for (const button of parentElement.querySelectorAll("[data-action]")) {
      button.title = words[button.dataset.action];
      button.setAttribute("aria-label", button.title);
    }
    for (const text of parentElement.querySelectorAll("[data-word]")) text.textContent = words[text.dataset.word];
    phaseBar.replaceChildren(...words.phases.map((word) => Object.assign(document.createElement("li"), { textContent: word })));
    speed.replaceChildren(...data.speeds.map((rate) => new Option(words.rate.replace("{rate}", rate), rate)));
    speed.value = data.speed;
  }

  // ---- the state: a step, and in slow motion a moment of it

  if (!first && range.of !== data.of && range.moment !== null) range.moment = 0; // slow motion of something else
  range.of = data.of;
  let moment = first ? (data.slow ? 0 : null) : range.moment; // null outside slow motion
  if (first) {
    const asked = new URLSearchParams(location.search);
    const askedStep = asked.get("step") ?? "", askedMoment = asked.get("moment") ?? "";
    if (/^[0-9]+$/.test(askedStep)) range.value = Math.min(Number(askedStep), data.lastStep);
    if (/^[0-9]+$/.test(askedMoment)) moment = Number(askedMoment);
    else if (askedMoment === "all" || (slowAt && !slowAt.includes(Number(range.value)))) moment = null;
  }
  slow.checked = moment !== null;
  const step = () => Number(range.value);
  const last = () => (moment !== null && slowAt ? slowAt[slowAt.length - 1] : data.lastStep);
  const lastMoment = () => (step() < last() ? moments : starts[UPDATE]) - 1;
  const phaseOf = (moment) => starts.findLastIndex((start) => start <= moment);

  function bound() { // slow motion only goes where it has something to show
    if (moment === null) return;
    if (slowAt) range.value = slowAt[lastBefore(slowAt, step())];
    moment = Math.min(moment, lastMoment());
  }

  function show() {
    const k = step(), values = {}, now = [], next = [];
    for (const [name, one] of series) {
      now.push((values[name] = valueAt(one, k)));
      if (one.at === null) next.push((values[name + "_next"] = one.values[k + 1]));
    }
    const phase = moment === null ? WHOLE : phaseOf(moment), at = moment ?? moments;
    range.frame = { step: k, moment: at, values, format: shortNumber };
    range.moment = moment;
    range.style.setProperty("--walked", `${(100 * k) / Math.max(1, data.lastStep)}%`);
    const text = Object.entries(data.readout).map(([name, [known, changed]]) =>
      moment !== null && changed !== null && at >= changed ? `${name} → ${shortNumber(values[name + "_next"])}`
        : `${name} ${at >= known ? shortNumber(values[name]) : "…"}`);
    const count = data.lastStep > 0 ? [words.step.replace("{step}", k).replace("{last}", data.lastStep)] : []; // or nothing is trained
    readout.textContent = [...count, ...text].join("  ·  ");
    phaseBar.hidden = phase === WHOLE;
    speed.disabled = phase !== WHOLE; // slow motion has its own
    [...phaseBar.children].forEach((chip, i) => {
      const part = i === phase && data.parts[i] > 1 ? ` ${moment - starts[i] + 1}/${data.parts[i]}` : "";
      chip.textContent = words.phases[i] + part;
      chip.classList.toggle("on", i === phase);
      if (i === phase) chip.setAttribute("aria-current", "step"); else chip.removeAttribute("aria-current");
    });
    range.setAttribute("aria-valuetext", [readout.textContent, phaseBar.children[phase]?.textContent ?? ""].join("  ·  "));
    const state = document.querySelector("#player-state");
    if (!state) return; // the page is being put together anew, and will call again
    state.value = [k, phase, at, ...now, ...next].join(",");
    state.dispatchEvent(new Event("input"));
    remember();
  }

  let remembering = 0;
  function remember() {
    clearTimeout(remembering);
    remembering = setTimeout(() => {
      const url = new URL(location.href), { searchParams } = url;
      if (step() > 0) searchParams.set("step", step()); else searchParams.delete("step");
      if (moment === (data.slow ? 0 : null)) searchParams.delete("moment"); else searchParams.set("moment", moment ?? "all");
      if (url.href !== location.href) history.replaceState(history.state, "", url);
    }, 250);
  }

  // ---- moving; everything that follows hears one bubbling `input` from the range

  const fire = () => range.dispatchEvent(new Event("input", { bubbles: true }));

  function go(k) {
    const bounded = Math.max(0, Math.min(data.lastStep, k));
    if (bounded === step()) return false;
    range.value = bounded;
    fire();
    return true;
  }

  function advance(by) { // in slow motion one moment, else `by` steps
    if (moment === null) return go(step() + by);
    const forward = by > 0, from = moment;
    if (forward ? moment < lastMoment() : moment > 0) { moment += forward ? 1 : -1; fire(); return true; }
    const neighbour = slowAt ? slowAt[lastBefore(slowAt, step()) + (forward ? 1 : -1)] : step() + (forward ? 1 : -1);
    moment = forward ? 0 : moments - 1;
    if (neighbour !== undefined && go(neighbour)) return true;
    moment = from;
    return false;
  }

  // ---- playing

  let frame = 0, due = 0;
  const playing = () => frame !== 0;

  function pause() {
    cancelAnimationFrame(frame);
    frame = 0;
    range.playing = false;
    playButton.classList.remove("playing");
    playButton.setAttribute("aria-label", words.play);
    playButton.title = words.play;
    readout.setAttribute("aria-live", "polite");
  }

  function rewind() {
    if (moment !== null) moment = 0;
    go(0);
  }

  function play() {
    if (step() >= last() && (moment ?? moments) >= lastMoment()) rewind();
    range.playing = true; // and goes on where the page is run again with other data
    playButton.classList.add("playing");
    playButton.setAttribute("aria-label", words.pause);
    playButton.title = words.pause;
    readout.setAttribute("aria-live", "off"); // sixty announcements a second help nobody
    due = performance.now();
    frame = requestAnimationFrame(tick);
  }

  function tick(time) {
    const interval = moment === null ? 1000 / Number(speed.value) : 2500;
    const steps = Math.floor((time - due) / interval);
    if (steps > 0) {
      due += steps * interval;
      const moved = advance(steps);
      if (!moved && !loop.checked) return pause();
      if (!moved) rewind();
    }
    frame = requestAnimationFrame(tick);
  }

  function nudge(by) { pause(); advance(by); }
  function jump(k) { pause(); if (moment !== null && k === 0) moment = 0; if (!go(k)) fire(); }

  const ACTIONS = {
    start: () => jump(0), back: () => nudge(-1), play: () => (playing() ? pause() : play()),
    forward: () => nudge(1), end: () => jump(last()),
  };

  // ---- listening

  on(range, "input", () => { bound(); show(); });
  on(range, "pointerdown", pause);
  for (const button of parentElement.querySelectorAll("[data-action]")) on(button, "click", ACTIONS[button.dataset.action]);
  for (const box of [slow, loop]) on(box, "click", (event) => event.detail && box.blur()); // a mouse leaves the keys to the player
  on(document, "pointerup", (event) => { // after Streamlit's own listeners, which take the focus
    if (event.target.closest?.("[data-testid=stButtonGroup]")) setTimeout(() => document.activeElement.blur());
  });
  on(slow, "change", () => { pause(); moment = slow.checked ? 0 : null; fire(); });

  const KEYS = {
    " ": ACTIONS.play, ArrowRight: ACTIONS.forward, ArrowLeft: ACTIONS.back, PageDown: ACTIONS.forward,
    PageUp: ACTIONS.back, Home: ACTIONS.start, End: ACTIONS.end,
  };
  on(document, "keydown", (event) => {
    const act = KEYS[event.key], target = event.composedPath()[0];
    if (!act || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey || event.isComposing) return;
    if (target !== range && isTyping(target, event.key)) return;
    if (event.key === " " && target !== range && takesSpace(target)) return;
    if (event.key === " " && event.repeat) return event.preventDefault(); // a key held down is one wish
    event.preventDefault();
    act();
  });

  // Streamlit writes the address from what it knew when a run began: put the step back.
  const reminding = setInterval(remember, 1000);
  off.signal.addEventListener("abort", () => { cancelAnimationFrame(frame); clearTimeout(remembering); clearInterval(reminding); });
  fire();
  if (range.playing) play(); else pause();
  return () => off.abort();
}

function shortNumber(value, digits = 6) {
  if (value === undefined) return "—";
  if (Number.isNaN(value)) return "not a number";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  if (digits === 0 || digits === "0") return String(value);
  const size = Math.abs(value);
  const text = size !== 0 && (size < 1e-4 || size >= 1e6) ? value.toExponential(digits > 6 ? digits - 1 : Math.min(3, digits - 1)) : value.toPrecision(digits);
  return text.replace("-", "−").replace("e-", "e−");
}
