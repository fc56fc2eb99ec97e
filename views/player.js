// The player: owns the step and the phase, and tells everything on the page that follows them.
//
// #player-step   the range input a person moves; `.frame` on it holds this frame's numbers
// #player-state  hidden, put into the page before this module is loaded, because charts bind to it
//                when they are drawn; "step,phase,values…,values one step later…"
//
// Streamlit calls the default export again, without the cleanup, whenever `data` changes: all
// listeners of a call hang on one AbortController, which the next call aborts.

const WHOLE = 4; // no slow motion: everything about the step is known, the update not yet made
const UPDATE = 3;

const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer;

function decode(data) { // [name, {values, at}] in the order sent; `at` is null where each step has a value
  const at = data.at.map((text) => new Int32Array(bytes(text)));
  return Object.entries(data.series).map(([name, one]) => {
    const values = one.type === "f8" ? new Float64Array(bytes(one.values)) : new Float32Array(bytes(one.values));
    return [name, { values, at: one.at === null ? null : at[one.at] }];
  });
}

function endOf({ values, at }) { // the last step of the run that a series belongs to
  return at === null ? values.length - 1 : at[at.length - 1];
}

function valueAt({ values, at }, step) {
  if (at === null) return values[Math.min(step, values.length - 1)];
  let low = 0, high = at.length - 1; // the last entry at or before the step
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (at[middle] <= step) low = middle; else high = middle - 1;
  }
  return values[low];
}

function valueAfter(series, step) { // none after the last step, nor where the next one was not sent
  const { values, at } = series;
  if (at === null) return step + 1 < values.length ? values[step + 1] : undefined;
  return step < endOf(series) && at.includes(step + 1) ? valueAt(series, step + 1) : undefined;
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

  // ---- the state: a step, and in slow motion a phase of it

  let phase = range.phase ?? WHOLE;
  if (first) {
    const asked = new URLSearchParams(location.search);
    const askedStep = asked.get("step") ?? "", askedPhase = asked.get("phase");
    if (/^[0-9]+$/.test(askedStep)) range.value = Math.min(Number(askedStep), data.lastStep);
    if (/^[0-3]$/.test(askedPhase ?? "")) { slow.checked = true; phase = Number(askedPhase); }
  }
  const step = () => Number(range.value);
  const lastPhase = () => (step() < data.lastStep ? UPDATE : UPDATE - 1); // after the last step nothing is updated
  if (phase !== WHOLE) phase = Math.min(phase, lastPhase());

  function show() {
    const k = step(), values = {}, now = [], next = [];
    for (const [name, one] of series) {
      now.push((values[name] = valueAt(one, k)));
      next.push((values[name + "_next"] = valueAfter(one, k)));
    }
    range.frame = { step: k, phase, values, format: shortNumber };
    const state = document.querySelector("#player-state");
    range.phase = phase;
    range.style.setProperty("--walked", `${(100 * k) / Math.max(1, data.lastStep)}%`);
    const text = Object.entries(data.readout).map(([name, known]) => `${name} ${phase >= known ? shortNumber(values[name]) : "…"}`);
    readout.textContent = [words.step.replace("{step}", k).replace("{last}", data.lastStep), ...text].join("  ·  ");
    range.setAttribute("aria-valuetext", [readout.textContent, words.phases[phase] ?? ""].join("  ·  "));
    phaseBar.hidden = phase === WHOLE;
    [...phaseBar.children].forEach((chip, i) => {
      chip.classList.toggle("on", i === phase);
      if (i === phase) chip.setAttribute("aria-current", "step"); else chip.removeAttribute("aria-current");
    });
    state.value = [k, phase, ...now, ...next].join(",");
    state.dispatchEvent(new Event("input"));
    remember();
  }

  let remembering = 0;
  function remember() {
    clearTimeout(remembering);
    remembering = setTimeout(() => {
      const url = new URL(location.href), { searchParams } = url;
      if (step() > 0) searchParams.set("step", step()); else searchParams.delete("step");
      if (phase !== WHOLE) searchParams.set("phase", phase); else searchParams.delete("phase");
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

  function advance(by) { // in slow motion one phase, else `by` steps
    if (phase === WHOLE) return go(step() + by);
    if (by > 0 && phase < lastPhase()) { phase += 1; fire(); return true; }
    if (by < 0 && phase > 0) { phase -= 1; fire(); return true; }
    const from = phase;
    phase = by > 0 ? 0 : UPDATE;
    if (go(step() + Math.sign(by))) return true;
    phase = from;
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

  function play() {
    if (step() >= data.lastStep && (phase === WHOLE || phase >= lastPhase())) { phase = phase === WHOLE ? WHOLE : 0; go(0); }
    range.playing = true; // and goes on where the page is run again with other data
    playButton.classList.add("playing");
    playButton.setAttribute("aria-label", words.pause);
    playButton.title = words.pause;
    readout.setAttribute("aria-live", "off"); // sixty announcements a second help nobody
    due = performance.now();
    frame = requestAnimationFrame(tick);
  }

  function tick(time) {
    const interval = phase === WHOLE ? 1000 / Number(speed.value) : 1100;
    const steps = Math.floor((time - due) / interval);
    if (steps > 0) {
      due += steps * interval;
      const moved = advance(phase === WHOLE ? steps : 1);
      if (!moved && !loop.checked) return pause();
      if (!moved) { if (phase !== WHOLE) phase = 0; go(0); }
    }
    frame = requestAnimationFrame(tick);
  }

  function nudge(by) { pause(); advance(by); }
  function jump(k) { pause(); if (phase !== WHOLE) phase = k === 0 ? 0 : Math.min(phase, UPDATE - 1); if (!go(k)) fire(); }

  const ACTIONS = {
    start: () => jump(0), back: () => nudge(-1), play: () => (playing() ? pause() : play()),
    forward: () => nudge(1), end: () => jump(data.lastStep),
  };

  // ---- listening

  on(range, "input", () => { if (phase !== WHOLE) phase = Math.min(phase, lastPhase()); show(); });
  on(range, "pointerdown", pause);
  for (const button of parentElement.querySelectorAll("[data-action]")) on(button, "click", ACTIONS[button.dataset.action]);
  on(slow, "change", () => { pause(); phase = slow.checked ? 0 : WHOLE; fire(); });

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
