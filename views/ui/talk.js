// A talk: stops, each an address of this app, walked with one key. The talk is the browser's: it lies
// in its localStorage, and what is at hand in this window (the stop, and since when) in its
// sessionStorage. Windows of one browser tell each other on a channel; the server only opens pages,
// asked by the trigger `go`: {page, query, lecture}. PREPARED, WORDS, SPEAKER, and what is in pointing.js
// and stops.js stand before this.
//
// A player that is mounted at a stop reads the address; one that is there already hears "player-go", and
// finds in document.documentElement.dataset.place where it is to go.

const NAME = "backstep talk", MOST = 60, LONGEST = 600;
// A page that is only made ready does nothing by itself; one in a learning platform's frame does all.
const within = Boolean(window.frameElement?.classList.contains("talk-ready"));
const root = document.documentElement;

const plain = (text, most) => (typeof text === "string" ? text.slice(0, most) : "");

function checked(talk) { // a talk as it may be used, from whatever somebody has opened; else null
  if (!Array.isArray(talk?.stops) || !talk.stops.length || talk.stops.length > MOST) return null;
  if (!talk.stops.every((stop) => typeof stop?.at === "string" && /^\/[a-z_]*(\?[^#]*)?$/.test(stop.at) && stop.at.length < 4000)) return null;
  return { title: plain(talk.title, 80), stops: talk.stops.map(({ name, at, notes }) => ({ name: plain(name, 120), at, notes: plain(notes, LONGEST) })) };
}

function stored() {
  try { return checked(JSON.parse(localStorage.getItem(NAME))) ?? { title: "", stops: [] }; }
  catch { return { title: "", stops: [] }; }
}

async function through(stream, bytes) {
  return new Uint8Array(await new Response(new Blob([bytes]).stream().pipeThrough(stream)).arrayBuffer());
}

async function packed(talk) { // for a link
  const rows = [talk.title, ...talk.stops.map(({ name, at, notes }) => [name, at, notes])];
  const bytes = await through(new CompressionStream("deflate-raw"), new TextEncoder().encode(JSON.stringify(rows)));
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

async function unpacked(text) {
  const bytes = Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
  const [title, ...rows] = JSON.parse(new TextDecoder().decode(await through(new DecompressionStream("deflate-raw"), bytes)));
  return checked({ title, stops: rows.map(([name, at, notes]) => ({ name, at, notes })) });
}

export default function ({ parentElement, data, setTriggerValue }, base) {
  if (within) return () => {};
  const find = (selector) => parentElement.querySelector(selector);
  const box = find(".talk"), plan = find(".talk-plan"), keys = find(".talk-keys"), said = find(".talk-said");
  box.off?.abort();
  const off = (box.off = new AbortController());
  const on = (target, type, listener, more = {}) => target.addEventListener(type, listener, { signal: off.signal, ...more });
  const channel = new BroadcastChannel(NAME);
  off.signal.addEventListener("abort", () => channel.close());
  const { paths } = data, path = paths[data.page];

  // ---- the talk, and where it is

  let talk = stored();
  const now = () => JSON.parse(sessionStorage.getItem(NAME) ?? "null"); // {at, since} while it is given

  function write() {
    localStorage.setItem(NAME, JSON.stringify(talk));
    tell();
  }

  function keep() { // and list the stops anew
    write();
    list();
  }

  const post = (message) => off.signal.aborted || channel.postMessage(message);
  const tell = (ended = false) => post({ talk, now: now(), ended });

  function here() { // this moment, as an address
    const query = new URLSearchParams(location.search), at = document.querySelector("#player-step")?.at;
    for (const name of ["lecture", "talk", "step", "moment"]) query.delete(name);
    if (at) query.set("step", at.step);
    if (at) query.set("moment", at.moment ?? "all");
    return `/${path}${query.size ? `?${query}` : ""}`;
  }

  function add() {
    const at = here(), { title } = data;
    if (talk.stops.length >= MOST) return say(WORDS.full);
    if (talk.stops.at(-1)?.at === at) return say(WORDS.same);
    const step = document.querySelector("#player-step")?.at?.step;
    talk.stops.push({ name: step ? WORDS.at_step.replace("{title}", title).replace("{step}", step) : title, at, notes: "" });
    keep();
    say(WORDS.added.replace("{count}", talk.stops.length));
  }

  function say(text) {
    if (!said.isConnected) return;
    clearTimeout(said.until);
    said.textContent = text;
    said.hidePopover(); // and again, above whatever has been opened since
    said.showPopover();
    said.until = setTimeout(() => said.hidePopover(), 2500);
  }

  // ---- to a stop

  function open(at, lecture = true) {
    const there = new URL(at, location.origin), query = Object.fromEntries(there.searchParams);
    const page = paths.indexOf(there.pathname.slice(1));
    if (page < 0) return say(WORDS.unknown);
    root.dataset.place = there.searchParams; // for a player that is there; one that comes reads the address
    const settings = new URLSearchParams(location.search);
    for (const name of ["lecture", "talk"]) settings.delete(name);
    const sorted = (entries) => JSON.stringify([...entries].filter(([name]) => !["step", "moment"].includes(name)).sort());
    if (page === data.page && lecture === data.lecture && !document.querySelector(".st-key-stage [class*=st-key-guess-of]") && sorted(settings) === sorted(Object.entries(query))) {
      return goes();
    }
    document.dispatchEvent(new Event("player-leave"));
    window.backstepGoing = { since: performance.now(), opened: data.opened };
    setTriggerValue("go", { page, query, lecture });
  }

  function settled() { // what the server was asked for is there, and the player had nothing new to hear
    const { since = 0, opened } = window.backstepGoing ?? {}, idle = document.querySelector('[data-test-script-state="notRunning"]');
    if (root.dataset.place === undefined || !idle || (data.opened === opened && performance.now() - since < 5000)) return;
    goes();
  }

  function goes() { // whatever player there is
    document.dispatchEvent(new Event("player-go"));
    delete root.dataset.place;
    delete window.backstepGoing;
  }

  const watching = setInterval(settled, 50);
  off.signal.addEventListener("abort", () => clearInterval(watching));

  function to(i) {
    if (!talk.stops[i]) return say(i < 0 ? WORDS.first : WORDS.last);
    sessionStorage.setItem(NAME, JSON.stringify({ at: i, since: now()?.since ?? Date.now() }));
    tell();
    list();
    open(talk.stops[i].at);
    soon();
  }

  function end() {
    sessionStorage.removeItem(NAME);
    tell(true);
    list();
  }

  // ---- the next stop is made ready: what it trains and draws is then kept on the server

  const ready = (window.backstepReady ??= new Set());
  const pictures = (window.backstepPictures ??= new Map()); // of stops, by address, for the speaker's view

  let shown = "";
  function show() { // what the hall sees now, and what it will see next
    const at = now()?.at;
    if (at === undefined || !window.backstepSpeaks || off.signal.aborted) return;
    const seen = { now: still(document), black: document.querySelector(".talk-blank") !== null, next: pictures.get(talk.stops[at + 1]?.at) ?? null }, text = JSON.stringify(seen);
    if (text !== shown) post({ seen });
    shown = text;
  }

  const showing = setInterval(show, 1000);
  off.signal.addEventListener("abort", () => clearInterval(showing));

  function prepare() {
    const next = now() && talk.stops[now().at + 1]?.at;
    if (!next || ready.has(next)) return;
    ready.add(next);
    loaded(base, next).then((frame) => {
      pictures.set(next, still(frame.contentDocument));
      frame.remove();
      show();
    });
  }

  let preparing = 0;
  function soon() { // also where the page stays, and only its player moves
    clearTimeout(preparing);
    preparing = setTimeout(prepare, 1500);
  }

  soon();
  off.signal.addEventListener("abort", () => clearTimeout(preparing));

  // ---- the plan

  for (const text of box.querySelectorAll("[data-word]")) text.textContent = WORDS[text.dataset.word];
  for (const button of box.querySelectorAll(".talk-close")) button.setAttribute("aria-label", WORDS.close);

  function button(word, act, off = false) {
    return made("button", { type: "button", textContent: WORDS[word], onclick: act, disabled: off });
  }

  function list() {
    const at = now()?.at;
    find(".talk-title").value = talk.title;
    find(".talk-stops").replaceChildren(...talk.stops.map((stop, i) => {
      const name = made("input", { value: stop.name, maxLength: 120, oninput: () => { stop.name = name.value; write(); } });
      const notes = made("textarea", { value: stop.notes, maxLength: LONGEST, placeholder: WORDS.notes, oninput: () => { stop.notes = notes.value; write(); } });
      name.setAttribute("aria-label", WORDS.stop_name);
      notes.setAttribute("aria-label", WORDS.notes);
      const move = (by) => { talk.stops.splice(i + by, 0, ...talk.stops.splice(i, 1)); keep(); };
      const buttons = [button("up", () => move(-1), i === 0), button("down", () => move(1), i === talk.stops.length - 1),
        button("show", () => { plan.close(); open(stop.at); }), button("remove", () => { talk.stops.splice(i, 1); keep(); })];
      return made("li", { className: i === at ? "at" : "" }, made("div", {}, name, ...buttons, notes));
    }));
    const none = talk.stops.length === 0;
    find(".talk-actions").replaceChildren(
      button("add", add), at === undefined ? button("start", () => { plan.close(); to(0); }, none) : button("end", end),
      button("speaker", speaker, none), button("copy", copy, none), button("save", save, none), button("load", () => find("[type=file]").click()),
      button("handout", handed, none), button("clear", () => { talk = { title: "", stops: [] }; end(); keep(); }, none));
    for (const count of document.querySelectorAll("[data-talk-count]")) count.textContent = none ? "" : `(${talk.stops.length})`;
  }

  const choice = find(".talk-prepared");
  choice.replaceChildren(made("option", { value: "", textContent: WORDS.choose }), ...Object.entries(PREPARED).map(([value, one]) => made("option", { value, textContent: one.title })));
  const prepared = () => Object.keys(PREPARED).find((name) => JSON.stringify(checked(PREPARED[name])) === JSON.stringify(talk));

  function take(found) { // in place of the talk that is here
    if (talk.stops.length && !prepared() && !confirm(WORDS.replaces.replace("{count}", talk.stops.length))) return;
    talk = found;
    end();
    keep();
  }

  choice.onchange = () => { if (PREPARED[choice.value]) take(checked(PREPARED[choice.value])); choice.value = ""; };
  find(".talk-title").oninput = (event) => { talk.title = plain(event.target.value, 80); write(); };

  async function copy() {
    const link = `${location.origin}${base}?talk=${prepared() ?? await packed(talk)}`, field = find(".talk-link input");
    find(".talk-link").hidden = false;
    field.value = link;
    field.select();
    const copied = await navigator.clipboard?.writeText(link).then(() => true, () => false); // else by hand
    find(".talk-link [data-word]").textContent = copied ? WORDS.link_copied : WORDS.link;
  }

  function save() {
    const url = URL.createObjectURL(new Blob([JSON.stringify(talk, null, 1)], { type: "application/json" }));
    made("a", { href: url, download: `${(talk.title || "talk").replace(/[^\p{L}\p{N}]+/gu, "_")}.json` }).click();
    setTimeout(() => URL.revokeObjectURL(url));
  }

  find("[type=file]").onchange = async ({ target }) => {
    let found = null;
    try { found = checked(JSON.parse(await target.files[0].text())); } catch { /* told below */ }
    target.value = "";
    if (!found) return say(WORDS.not_a_talk);
    take(found);
  };

  function handed() {
    const paper = window.open("", "_blank");
    if (paper) handout(paper, base, talk); else say(WORDS.blocked);
  }

  // ---- keys: those of the speaker's window come on the channel

  function speaker() {
    const view = window.open("", "backstep speaker", "width=900,height=640");
    if (!view) return say(WORDS.blocked);
    view.document.open();
    view.document.write(SPEAKER);
    view.document.close();
    setTimeout(tell, 100, false); // it asks too, once it listens
  }

  function blank() {
    const cover = document.querySelector(".talk-blank");
    if (cover) cover.remove(); else document.body.append(made("div", { className: "talk-blank", onclick: blank }));
  }

  function answer(i) { // of the question on the stage; the last one only wants to see
    const answers = [...document.querySelectorAll(".st-key-stage [class*=st-key-guess-of] [role=radio]")];
    if (i === null && answers.some((one) => one.ariaChecked === "true")) return; // shown, and a click would take it back
    (i === null ? answers.at(-1) : answers.slice(0, -1)[i])?.click();
  }

  function size(by) {
    const larger = Math.max(0.7, Math.min(1.6, Number(root.style.getPropertyValue("--larger") || 1) + by));
    if (Math.abs(larger - 1) < 0.01) root.style.removeProperty("--larger"); else root.style.setProperty("--larger", larger.toFixed(1));
    root.value = root.style.getPropertyValue("--larger"); // pictures hear it: LARGER in figure.py
    root.dispatchEvent(new Event("larger"));
    window.dispatchEvent(new Event("resize"));
  }

  function full() {
    if (document.fullscreenElement) document.exitFullscreen(); else root.requestFullscreen?.().catch(() => say(WORDS.no_full));
  }

  function overview() {
    if (!document.querySelector("dialog[open]")) document.querySelector(".contents-open")?.click();
  }

  function help() {
    keys.querySelector("tbody").replaceChildren(...WORDS.key_list.map(([key, does]) => made("tr", {}, made("th", { scope: "row", textContent: key }), made("td", { textContent: does }))));
    keys.showModal();
  }

  const HALL = { b: blank, ".": blank, f: full, h: () => root.classList.toggle("without-bar"), o: overview, escape: overview, enter: () => answer(null), "+": () => size(0.1), "=": () => size(0.1), "-": () => size(-0.1), "−": () => size(-0.1), s: speaker, p: pointing };
  const ALWAYS = { a: add, t: () => (plan.open ? plan.close() : (list(), plan.showModal())), "?": help };

  function act(key) { // whether the key means something here
    const turn = now() && { PageDown: 1, PageUp: -1 }[key], name = key.toLowerCase();
    if (turn) { document.querySelector(".talk-blank")?.remove(); to(now().at + turn); return true; }
    const does = ALWAYS[name] ?? (data.lecture && (HALL[name] ?? (/^[1-5]$/.test(key) ? () => answer(Number(key) - 1) : null)));
    if (does) does();
    return Boolean(does);
  }

  const types = (target) => target.closest?.("input:not([type=checkbox],[type=range],[type=radio]),textarea,select,[contenteditable=true],[role=combobox][aria-expanded=true],[role=dialog]");
  const presses = (target, key) => key === "Enter" && target.closest?.("button,a,summary,label,[role=radio]");

  on(document, "keydown", (event) => {
    const target = event.composedPath()[0];
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.repeat && event.key.length > 1 && !/^Page/.test(event.key)) return;
    if (document.querySelector("dialog[open]") || types(target) || presses(target, event.key)) return;
    if (!act(event.key)) return;
    event.preventDefault();
    event.stopImmediatePropagation(); // a clicker goes to the next stop, and not to the next moment
  }, { capture: true });
  on(document, "click", (event) => ({ add, plan: ALWAYS.t })[event.target.closest?.("[data-talk]")?.dataset.talk]?.());
  on(document, "point-at", ({ detail }) => pointAt(detail)); // what the lecturer of a room points at
  on(document, "talk-open", (event) => { // a room is led somewhere, in whichever mode its members are
    event.preventDefault();
    open(event.detail.at, event.detail.lecture);
  });
  on(channel, "message", ({ data: heard }) => {
    if (heard.press && !now()) return; // another window gives the talk
    if (heard.press) { if (!act(heard.press)) document.dispatchEvent(new KeyboardEvent("keydown", { key: heard.press, shiftKey: heard.shift, bubbles: true })); }
    else if (heard.asks) tell();
    else if (heard.watches) { window.backstepSpeaks = true; shown = ""; show(); }
    else if (heard.seen) return; // for the speaker
    else { talk = stored(); list(); }
  });

  const asked = new URLSearchParams(location.search).get("talk");
  if (asked && window.backstepOpened !== asked) {
    window.backstepOpened = asked;
    Promise.resolve(PREPARED[asked] ? checked(PREPARED[asked]) : unpacked(asked).catch(() => null)).then((found) => {
      if (!found) return say(WORDS.not_a_talk);
      talk = found;
      sessionStorage.removeItem(NAME);
      keep();
      to(0);
    });
  }
  list();
  tell();
  return () => off.abort();
}
