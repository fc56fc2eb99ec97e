// The player: owns the step and the moment in it, and tells everything on the page that follows them.
//
// #player-step   the range input a person moves: through the steps, or in slow motion through all
//                moments of all steps; `.at` on it says which, `.frame` holds this frame's numbers
// #root          Streamlit's own, there before anything else. Charts bind to it when they are drawn,
//                which may be before this module is loaded: its `.value` is
//                "step,phase,moment,values…,values one step later…", and "player" says it is new
//
// Slow motion goes through the moments of a step. Each belongs to one of four phases; data.parts
// says how many each phase has. Where data.slowAt is given, only these steps have them. data.stops
// are the steps that a clicker goes to outside slow motion. Where somebody wants to go on beyond
// either end, the document hears "player-turn", with −1 or 1; where they leave, it says "player-leave".
// A talk that goes to a moment leaves it in document.documentElement.dataset.place, written as in an
// address, and says "player-go".
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

export default function ({ parentElement, data, setTriggerValue }) {
  const find = (selector) => parentElement.querySelector(selector);
  const range = find("#player-step"), readout = find(".player-readout"), nextButton = find("[data-action=next]");
  const playButton = find("[data-action=play]"), speed = find("[data-control=speed]"), more = find(".player-more");
  const loop = find("[data-control=loop]"), slow = find("[data-control=slow]"), table = find(".player-options tbody");
  const words = data.words, state = document.querySelector("#root");

  range.off?.abort();
  const off = (range.off = new AbortController());
  const on = (target, type, listener) => target.addEventListener(type, listener, { signal: off.signal });

  const series = decode(data);
  const slowAt = data.slowAt && new Int32Array(bytes(data.slowAt));
  const starts = data.parts.map((_, phase) => data.parts.slice(0, phase).reduce((sum, n) => sum + n, 0));
  const moments = starts[UPDATE] + data.parts[UPDATE];
  const slowable = data.every === 1 && moments > 1; // else there is no one step to slow down
  const slowSteps = slowAt ? slowAt.length : data.lastStep + 1;

  // ---- where we are: a step, and in slow motion a moment of it (else null); as a place on the slider

  const slowly = data.begin[1] === null ? null : 0; // whether a first visit is in slow motion
  const opening = { step: data.begin[0], moment: data.begin[1] };
  const first = range.at === undefined;
  range.at ??= asked();
  const anew = !first && range.of !== data.of; // something else is played
  if (anew && range.at.moment !== null) range.at.moment = 0;
  if (anew && range.at.moment === null && data.plays) range.at = { ...opening };
  range.of = data.of;
  if (document.documentElement.dataset.place !== undefined && !first) range.at = asked();

  function asked() { // by the address, or by whoever came here backwards
    const address = new URLSearchParams(document.documentElement.dataset.place ?? location.search), number = /^[0-9]+$/;
    const askedStep = address.get("step") ?? "", askedMoment = address.get("moment") ?? "";
    const named = number.test(askedStep), { step: begin, moment } = data.atEnd ? { step: data.lastStep, moment: slowly === null ? null : moments } : opening;
    const step = named ? Number(askedStep) : begin;
    if (!slowable) return { step, moment: null };
    if (number.test(askedMoment)) return { step, moment: Number(askedMoment) };
    if (askedMoment === "all" || (named && slowAt && !slowAt.includes(step))) return { step, moment: null };
    return { step, moment: named && slowly ? 0 : moment };
  }

  const last = () => (range.at.moment === null ? data.lastStep : (slowSteps - 1) * moments + Math.max(starts[UPDATE], 1) - 1);
  const phaseOf = (moment) => starts.findLastIndex((start) => start <= moment);

  function place({ step, moment }) {
    if (moment === null) return Math.min(step, data.lastStep);
    const known = slowAt ? lastBefore(slowAt, step) : Math.min(step, data.lastStep);
    return Math.min(known * moments + Math.min(moment, moments - 1), last());
  }

  function at(place) {
    if (range.at.moment === null) return { step: place, moment: null };
    const known = Math.floor(place / moments);
    return { step: slowAt ? slowAt[known] : known, moment: place % moments };
  }

  function show() {
    const { step, moment } = (range.at = at(Number(range.value)));
    const values = {}, now = [], next = [];
    for (const [name, one] of series) {
      now.push((values[name] = valueAt(one, step)));
      if (one.at === null) next.push((values[name + "_next"] = one.values[step + 1]));
    }
    const phase = moment === null ? WHOLE : phaseOf(moment), so_far = moment ?? moments;
    range.frame = { step, moment: so_far, moments, values, format: shortNumber };
    range.style.setProperty("--walked", `${(100 * range.value) / Math.max(1, last())}%`);
    const part = data.parts[phase] > 1 ? ` ${moment - starts[phase] + 1}/${data.parts[phase]}` : "";
    const told = [ // each of them stays on one line
      ...(data.whose ? [data.whose] : []),
      ...(data.lastStep > 0 ? [words.step.replace("{step}", step * data.every).replace("{last}", data.lastStep * data.every)] : []), // or nothing is trained
      ...(phase === WHOLE ? [] : [Object.assign(document.createElement("span"), { className: "player-phase", textContent: words.phases[phase] + part })]),
      ...Object.entries(data.readout).map(([name, [known, changed]]) =>
        moment !== null && changed !== null && moment >= changed ? `${name} → ${shortNumber(values[name + "_next"])}`
          : `${name} ${so_far >= known ? shortNumber(values[name]) : "…"}`),
    ];
    const items = told.map((one) => (one.nodeType ? one : Object.assign(document.createElement("span"), { textContent: one })));
    readout.replaceChildren(...items.flatMap((one, i) => (i ? ["  ·  ", one] : [one])));
    range.setAttribute("aria-valuetext", readout.textContent);
    slow.checked = moment !== null;
    slow.parentElement.style.display = slowable ? "" : "none";
    nextButton.hidden = !data.next || range.value < last();
    if (more.open) fillTable();
    state.value = [step, phase, so_far, ...now, ...next].join(",");
    state.player = range;
    state.dispatchEvent(new Event("player"));
    remember();
  }

  function fillTable() { // what is known at this moment, for those who cannot see the pictures
    table.replaceChildren(...Object.entries(data.table).map(([label, name]) => {
      const row = document.createElement("tr");
      row.append(Object.assign(document.createElement("th"), { textContent: label, scope: "row" }),
        Object.assign(document.createElement("td"), { textContent: shortNumber(range.frame.values[name]) }));
      return row;
    }));
  }

  let remembering = 0, leaving = false; // after that the address is of somewhere else
  function remember() {
    clearTimeout(remembering);
    if (leaving || location.protocol === "about:") return; // a frame in a notebook has no address
    remembering = setTimeout(() => {
      const url = new URL(location.href), { searchParams } = url, { step, moment } = range.at;
      const atOpening = step === opening.step && moment === opening.moment;
      const said = !atOpening && !(step === 0 && opening.step === 0);
      const usual = moment === slowly && (moment === null || said || opening.moment === 0);
      set(searchParams, "step", said ? step : null);
      set(searchParams, "moment", atOpening || usual ? null : moment ?? "all");
      if (url.href !== location.href) history.replaceState(history.state, "", url);
    }, 250);
  }

  function set(params, name, value) { // what is not said is as it opens
    if (value === null) params.delete(name); else params.set(name, value);
  }

  // ---- moving; everything that follows hears one bubbling `input` from the range

  const fire = () => range.dispatchEvent(new Event("input", { bubbles: true }));

  function go(place) {
    const bounded = Math.max(0, Math.min(last(), place));
    if (bounded === Number(range.value)) return false;
    range.value = bounded;
    fire();
    return true;
  }

  const advance = (by) => go(Number(range.value) + by);

  function toStop(by) { // a moment of this step, else the next step at which something happens
    const { step, moment } = range.at, slowly = moment !== null, next = moment + by;
    if (slowly && next >= 0 && next < moments) return advance(by);
    const ends = slowly && slowAt ? [slowAt[0], slowAt.at(-1)] : [0, data.lastStep];
    const stops = [...ends, ...data.stops].filter((stop) => (stop - step) * by > 0 && (!slowly || !slowAt || slowAt.includes(stop)));
    const to = by > 0 ? Math.min(...stops) : Math.max(...stops);
    return stops.length > 0 && go(place({ step: to, moment: slowly ? (by > 0 ? 0 : moments - 1) : null }));
  }

  function toSpeed(slowly) { // slow motion or not, at the same step
    range.at = { step: range.at.step, moment: slowly ? 0 : null };
    settle();
  }

  function settle() { // the slider says where we are
    range.max = last();
    range.value = place(range.at);
    offerSpeeds();
    fire();
  }

  function offerSpeeds() {
    const slowly = range.at.moment !== null, speeds = slowly ? data.slowSpeeds : data.speeds;
    if (range.slowly === slowly && !first) return;
    range.slowly = slowly;
    speed.replaceChildren(...speeds.map((rate) => new Option((slowly ? words.times : words.rate).replace("{rate}", rate), rate)));
    speed.value = slowly ? 1 : data.speed;
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
    if (Number(range.value) >= last()) go(0);
    range.playing = true; // and goes on where the page is run again with other data
    playButton.classList.add("playing");
    playButton.setAttribute("aria-label", words.pause);
    playButton.title = words.pause;
    readout.setAttribute("aria-live", "off"); // sixty announcements a second help nobody
    due = performance.now();
    frame = requestAnimationFrame(tick);
  }

  function interval() { // milliseconds: in slow motion as long as the text takes to read
    if (range.at.moment === null) return 1000 / Number(speed.value);
    const text = [...document.querySelectorAll(".story .on")].map((part) => part.textContent).join(" ");
    return (1200 + 50 * text.length) / Number(speed.value);
  }

  function tick(time) {
    const steps = Math.floor((time - due) / interval());
    if (steps > 0) {
      due = range.at.moment === null ? due + steps * interval() : time;
      const moved = advance(range.at.moment === null ? steps : 1);
      if (!moved && !loop.checked) return pause();
      if (!moved) go(0);
    }
    frame = requestAnimationFrame(tick);
  }

  const turn = (by) => document.dispatchEvent(new CustomEvent("player-turn", { detail: by }));
  const nudge = (by) => { pause(); advance(by); };
  const click = (by) => { pause(); if (!toStop(by)) turn(by); };

  const ACTIONS = {
    start: () => { pause(); go(0); }, back: () => nudge(-1), play: () => (playing() ? pause() : play()),
    forward: () => nudge(1), end: () => { pause(); go(last()); }, next: () => turn(1),
  };

  // ---- listening

  if (first) {
    find(".player").setAttribute("aria-label", words.player);
    range.setAttribute("aria-label", words.slider);
    for (const button of parentElement.querySelectorAll("[data-action]:not(.player-next)")) {
      button.title = words[button.dataset.action];
      button.setAttribute("aria-label", button.title);
    }
    for (const text of parentElement.querySelectorAll("[data-word]")) text.textContent = words[text.dataset.word];
    more.firstElementChild.title = words.more;
    more.firstElementChild.setAttribute("aria-label", words.more);
  }
  nextButton.textContent = data.next;

  on(range, "input", show);
  on(range, "pointerdown", pause);
  for (const button of parentElement.querySelectorAll("[data-action]")) on(button, "click", ACTIONS[button.dataset.action]);
  for (const box of [slow, loop]) on(box, "click", (event) => event.detail && range.focus()); // a mouse leaves the keys to the player
  let pointed = false; // whether it was a mouse that last touched the list of speeds
  on(speed, "pointerdown", () => { pointed = true; });
  on(speed, "keydown", () => { pointed = false; });
  on(speed, "change", () => pointed && range.focus());
  on(slow, "change", () => { pause(); toSpeed(slow.checked); });
  on(more, "toggle", () => more.open && fillTable());
  on(document, "pointerdown", (event) => { if (more.open && !more.contains(event.target)) more.open = false; });
  on(document, "click", (event) => { // a button of the page asks for something at the step shown
    if (event.target.closest?.("[data-asks-step]")) setTriggerValue("asked", range.at.step);
  });
  on(document, "player-go", () => { pause(); range.at = asked(); settle(); });
  on(document, "pointerup", (event) => { // after Streamlit's own listeners, which take the focus
    if (data.lecture && event.target.closest?.("[data-testid=stButtonGroup]")) setTimeout(() => document.activeElement.blur());
  });
  const chosen = (looks = 40) => setTimeout(() => { // in a box beside the player: once it is closed, the keys are the player's again
    const closed = document.activeElement.matches(".st-key-stage [role=combobox][aria-expanded=false]");
    if (closed) range.focus({ preventScroll: true });
    else if (looks) chosen(looks - 1); // on a busy machine it closes late
  }, 25);
  const early = { capture: true, signal: off.signal }; // the box lets nobody hear it after itself
  document.addEventListener("click", ({ target }) => target.closest?.("[role=option]") && chosen(), early);
  document.addEventListener("keydown", ({ key, target }) => {
    if (key === "Enter" && target.matches?.("[role=combobox][aria-expanded=true]")) chosen();
  }, early);

  // In a lecture the keys are the player's. Else they are where the focus is, and scroll the page.
  const KEYS = {
    " ": ACTIONS.play, ArrowRight: ACTIONS.forward, ArrowLeft: ACTIONS.back, PageDown: () => click(1),
    PageUp: () => click(-1), Home: ACTIONS.start, End: ACTIONS.end,
  };
  const COARSE = { ArrowRight: () => nudge(10), ArrowLeft: () => nudge(-10) }; // with shift
  on(document, "keydown", (event) => {
    const act = (event.shiftKey ? COARSE : KEYS)[event.key], target = event.composedPath()[0];
    if (!act || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (document.querySelector("dialog[open]") || (!data.lecture && !find(".player").contains(target))) return;
    if (target !== range && isTyping(target, event.key)) return;
    if (event.key === " " && target !== range && takesSpace(target)) return;
    if (event.key === " " && event.repeat) return event.preventDefault(); // a key held down is one wish
    event.preventDefault();
    act();
  });

  // Streamlit writes the address from what it knew when a run began: put the step back.
  const reminding = setInterval(remember, 1000);
  for (const [target, type] of [[document, "player-leave"], [window, "popstate"]]) {
    on(target, type, () => { leaving = true; clearTimeout(remembering); pause(); }); // the next player is heard alone
  }
  off.signal.addEventListener("abort", () => { cancelAnimationFrame(frame); clearTimeout(remembering); clearInterval(reminding); });
  settle();
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const comes = data.plays && (anew || (first && !location.search.includes("step=")));
  if (anew && data.plays && still) go(last()); // what the others see in the end
  if (range.playing || (comes && !still)) play(); else pause();
  return () => {
    off.abort();
    if (state.player === range) state.value = ""; // the next player may be there already
  };
}

function shortNumber(value, digits = 6) {
  if (value === undefined) return "—";
  if (Number.isNaN(value)) return "not a number";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  if (digits === 0 || digits === "0") return String(value);
  const size = Math.abs(value);
  const text = size !== 0 && (size < 1e-4 || size >= 1e6) ? value.toExponential(digits > 6 ? digits - 1 : Math.min(3, digits - 1)) : value.toPrecision(digits);
  return text.replace("-", "−").replace("e-", "e−").replace("e+", "e");
}
