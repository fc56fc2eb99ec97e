// A room, as it is seen: the strip at the lower edge, and the dialog with code and QR code. And what a room
// does: the lecturer's page is told to it, step by step, and a page that follows is taken there. WORDS and
// the line to the room (room_line.js) stand before this.
//
// A question is the one on the stage (prediction.py). The lecturer's has bars; a follower answers it in
// the strip, and once the lecturer has let it be shown, the same answer is given on the page.

const TICK = 150, AT_MOST = 100; // milliseconds: between two looks at the page, between two steps that are told
const hidden = Boolean(window.frameElement?.classList.contains("talk-ready"));
const UNSAID = ["lecture", "talk", "room", "embed", "step", "moment"];
const OWN_WAY = ".contents a, .contents-all a, a[data-page], .player, .st-key-settings, .st-key-stage [data-testid=stButtonGroup], .st-key-stage input";

function made(tag, attributes = {}, ...children) {
  const element = Object.assign(document.createElement(tag), attributes);
  element.append(...children);
  return element;
}

function question() { // the one on the stage: its name, its answers (the last one only wants to see), whether it is answered
  const group = document.querySelector(".st-key-stage [class*=st-key-guess-of]");
  const radios = [...(group?.querySelectorAll("[role=radio]") ?? [])];
  if (radios.length < 2) return null;
  return {
    name: [...group.classList].find((name) => name.startsWith("st-key-guess-of")),
    text: group.querySelector("[data-testid=stWidgetLabel]")?.textContent ?? "",
    labels: radios.slice(0, -1).map((radio) => radio.innerText), radios,
    shown: radios.some((radio) => radio.getAttribute("aria-checked") === "true"),
  };
}

function about() { // the code that the question on the stage is about: beside it, else the first there is
  const stage = document.querySelector(".st-key-stage"), code = ".edit, .listing, .stCode";
  const beside = stage?.querySelector("[class*=st-key-guess-of]")?.closest("[data-testid=stColumn]")?.querySelectorAll(code);
  return beside?.length ? [...beside].at(-1) : stage?.querySelector(code);
}

const idle = () => document.querySelector('[data-testid="stApp"][data-test-script-state="notRunning"]') !== null;

export default function ({ parentElement, data }, base) {
  if (hidden) return () => {};
  const find = (selector) => parentElement.querySelector(selector);
  const box = find(".room"), dock = find(".room-dock"), plan = find(".room-plan"), root = document.documentElement;
  box.off?.abort();
  const off = (box.off = new AbortController());
  const on = (target, type, listener, more = {}) => target.addEventListener(type, listener, { signal: off.signal, ...more });
  const { paths } = data;
  const line = (window.backstepRoom ??= newLine(`${location.protocol.replace("http", "ws")}//${location.host}${base}rooms`));

  // ---- the lecturer's page is told

  function here() { // which page this is, with its settings
    const query = new URLSearchParams(location.search);
    for (const name of UNSAID) query.delete(name);
    query.sort();
    return { page: paths.indexOf(location.pathname.slice(base.length)), query: Object.fromEntries(query) };
  }

  function at() {
    const { step, moment } = document.querySelector("#player-step")?.at ?? { step: 0, moment: null };
    return { step, moment };
  }

  let seen = "", absent = 0;
  function lead() {
    const place = here(), now = JSON.stringify(place);
    if (now === seen && now !== line.placed && place.page >= 0) { // settled, and new
      line.placed = now;
      line.say({ place, at: at() });
    }
    seen = now;
    const asked = line.state.asks, open = question();
    absent = open || !idle() ? 0 : absent + 1;
    if (!open && asked && absent > 5) line.say({ asks: (line.state.asks = null) });
    if (!open) return;
    const same = asked?.question === open.name && asked.answers === open.labels.length;
    if (!same || (line.state.shows && !open.shown)) {
      const asks = { question: open.name, answers: open.labels.length };
      Object.assign(line.state, { asks, shows: open.shown || null, counts: open.labels.map(() => 0) });
      line.say(open.shown ? { asks, shows: true } : { asks });
    } else if (open.shown && !line.state.shows) {
      line.state.shows = { counts: line.state.counts };
      line.say({ shows: true });
    }
  }

  let telling = 0;
  on(document.querySelector("#root"), "player", () => {
    if (line.role !== "leads" || telling) return;
    telling = setTimeout(() => {
      telling = 0;
      if (JSON.stringify(here()) === line.placed) line.say({ at: at() });
    }, AT_MOST);
  });

  let points = null, pointed = 0; // what the lecturer points at, and whether it is about to be told
  on(document, "pointing", ({ detail }) => {
    points = detail;
    if (line.role !== "leads" || pointed) return;
    pointed = setTimeout(() => {
      pointed = 0;
      line.say({ points });
    }, AT_MOST);
  });

  // ---- a page that follows is taken there

  const inAddress = ({ step, moment }) => `step=${step}&moment=${moment ?? "all"}`;

  function follow() {
    const { place, at = null } = line.state;
    if (!place || line.roams || paths[place.page] === undefined) return;
    const wanted = JSON.stringify(place), then = at ? inAddress(at) : "";
    if (document.querySelector("#player-step")?.playing) line.step = null; // a run that plays as it comes: the lecturer's counts
    if (wanted !== line.followed) {
      const query = new URLSearchParams(place.query);
      const there = new CustomEvent("talk-open", { cancelable: true, detail: { at: `/${paths[place.page]}?${query}${query.size ? "&" : ""}${then}`, lecture: data.lecture } });
      if (document.dispatchEvent(there)) return; // talk.js, which opens it, is not there yet
      [line.followed, line.step] = [wanted, then];
    } else if (then !== line.step) {
      line.step = then;
      const opening = root.dataset.place !== undefined; // then a player that comes will read it, too
      root.dataset.place = then;
      document.dispatchEvent(new Event("player-go"));
      if (!opening) delete root.dataset.place;
    }
  }

  function point() { // what the lecturer points at grows here, too
    const what = line.role === "follows" && line.connected && !line.roams && idle() ? line.state.points ?? null : null, text = JSON.stringify(what);
    if (text === line.points) return;
    line.points = text;
    document.dispatchEvent(new CustomEvent("point-at", { detail: what }));
  }

  function reveal() { // with the answer that was given, once the lecturer has let it be shown
    const open = question(), { asks, shows } = line.state;
    if (!shows || line.roams || !open || open.shown || open.name !== asks?.question || !idle() || performance.now() - (line.revealed ?? -9999) < 2000) return;
    line.revealed = performance.now();
    (open.radios[line.given && line.given.round === asks.round ? line.given.answer : -1] ?? open.radios.at(-1)).click();
    const group = open.radios[0].closest("[class*=st-key-read-out], [class*=st-key-guess-of]");
    setTimeout(() => group.scrollIntoView({ block: "center" }), 500); // where it is said what is right: on a phone it may be far below
  }

  function answer(i) {
    const { round } = line.state.asks;
    if (line.say({ answer: i, round })) line.given = { round, answer: i };
    draw();
  }

  // Whoever goes their own way looks around from then on: the next step would take them back.
  const ownWay = () => line.role === "follows" && !line.roams && line.roam(true);
  for (const type of ["pointerdown", "keydown"]) {
    on(document, type, ({ isTrusted, key, target }) => isTrusted && key !== "Tab" && target.closest?.(key ? ".player" : OWN_WAY) && ownWay(), { capture: true });
  }
  on(document, "player-turn", ownWay);
  on(window, "popstate", ownWay);

  let codeAt = 0;
  function showCode() { // once for each question, until nothing moves it any more; on a phone it may be far below
    const { asks, shows } = line.state;
    if (!asks || shows || line.roams || line.looked === asks.round || question()?.name !== asks.question || !idle()) return;
    const top = about()?.getBoundingClientRect().top, drawn = document.querySelector(".st-key-stage .stVegaLiteChart:not(:has(canvas, svg))") === null;
    if (top === codeAt && drawn) line.looked = asks.round;
    codeAt = top;
    about()?.scrollIntoView({ block: "end" });
  }

  // ---- what is seen of it

  const many = (count) => WORDS.here[Math.min(count, 2)].replace("{count}", count);

  function button(word, act) {
    return made("button", { type: "button", textContent: WORDS[word], onclick: act });
  }

  let drawn = "";
  function draw() {
    const { role, code, connected, roams, refused, state } = line, open = question();
    const asks = open && open.name === state.asks?.question && !(role === "follows" && roams) ? state.asks : null;
    const counts = (role === "leads" ? state.counts : state.shows?.counts) ?? [];
    const given = asks && line.given && line.given.round === asks.round ? line.given.answer : null;
    const now = JSON.stringify([role, code, connected, roams, refused, state.here, asks, counts, state.shows, given, open?.labels, plan.open]);
    if (now === drawn) return;
    drawn = now;
    root.classList.toggle("in-room", Boolean(role));
    root.classList.toggle("room-asks-here", role === "follows" && Boolean(asks) && !state.shows);
    root.classList.toggle("room-waits", Boolean(asks) && !state.shows);
    if (dock.matches(":popover-open") !== Boolean(role)) dock.togglePopover();
    find(".room-name").textContent = code ? WORDS.name.replace("{code}", code) : "…";
    const asking = asks && !state.shows ? ` ${WORDS.answered.replace("{all}", counts.reduce((sum, n) => sum + n, 0))}` : "";
    const told = role === "waits" ? WORDS.waits : !connected ? WORDS.connecting : role === "leads" ? many(state.here ?? 0) + asking
      : roams ? WORDS.roams : state.place ? WORDS.follows : WORDS.not_begun;
    if (find(".room-told").textContent !== told) find(".room-told").textContent = told;
    const ways = role === "waits" ? [button("lead", () => line.lead(false))]
      : role === "follows" ? [roams ? button("back", () => line.roam(false)) : button("roam", () => line.roam(true))] : [];
    const pressed = find(".room-ways").contains(document.activeElement);
    find(".room-ways").replaceChildren(...ways);
    if (pressed) ways[0]?.focus();
    find(".room-private").hidden = role !== "follows" || Boolean(kept(sessionStorage).fine);
    find(".room-asks").hidden = !asks || (role === "follows" && state.shows && !counts.some(Boolean));
    if (asks) drawAnswers(open, counts, given);
    if (plan.open) drawPlan();
    reserve();
  }

  function drawAnswers(open, counts, given) {
    const { role, state } = line, all = counts.reduce((sum, n) => sum + n, 0), bars = role === "leads" || state.shows;
    find(".room-question").textContent = role === "leads" ? "" : state.shows ? WORDS.said : given === null ? `${open.text} ${WORDS.yours}` : WORDS.given;
    const rows = open.labels.map((label, i) => {
      const row = made("li", { className: i === given ? "given" : "" });
      row.style.setProperty("--share", bars && all ? counts[i] / all : 0);
      const inside = [made("span", { textContent: label }), ...(bars ? [made("b", { textContent: counts[i] ?? 0 })] : [])];
      if (bars) row.append(...inside);
      else row.append(made("button", { type: "button", disabled: given !== null, onclick: () => answer(i) }, ...inside));
      return row;
    });
    find(".room-asks ol").replaceChildren(...rows);
  }

  function reserve() { // the stage ends where the strip begins
    const high = line.role ? dock.getBoundingClientRect().height : 0;
    if (Math.abs(parseFloat(root.style.getPropertyValue("--room") || 0) - high) < 1) return;
    if (high) root.style.setProperty("--room", `${high}px`); else root.style.removeProperty("--room");
    window.dispatchEvent(new Event("resize"));
  }

  function drawPlan() {
    const { role, code, state, refused } = line, shown = find(".room-shown");
    find(".room-plan h2").textContent = role === "leads" || role === "follows" ? WORDS.name.replace("{code}", code ?? "…") : joins ? WORDS.join_title : WORDS.title;
    find(".room-refused").textContent = WORDS.refused[refused] ?? "";
    if (role === "leads") return drawCode(shown);
    if (role === "follows") return shown.replaceChildren(made("p", { textContent: WORDS.private }), button("leave", leave));
    if (role === "waits") return shown.replaceChildren(made("p", { textContent: WORDS.waits }), button("lead", () => line.lead(false)));
    if (shown.querySelector("input")) return; // somebody types
    const typed = made("input", { maxLength: 8, autocomplete: "off", autocapitalize: "characters", spellcheck: false });
    const join = made("form", { onsubmit: (event) => { event.preventDefault(); line.join(typed.value.trim().toUpperCase()); } },
      made("label", {}, `${WORDS.code} `, typed), " ", made("button", { textContent: WORDS.join }));
    const opening = [made("p", { textContent: WORDS.told }), button("open", () => line.open()), made("h3", { textContent: WORDS.join_title })];
    shown.replaceChildren(...(joins ? [] : opening), made("p", { textContent: WORDS.private }), join);
  }

  function drawCode(shown) { // once: only who is here changes
    const { code, state } = line, { address = "", qr } = state;
    if (!shown.querySelector(`[data-of="${code}"]`) && qr) {
      const notes = [/^https?:\/\/(localhost|127\.)/.test(address) && WORDS.local, state.by_itself && WORDS.by_itself].filter(Boolean);
      const words = made("div", {}, made("strong", { textContent: code }), made("p", { textContent: address.replace(/^https?:\/\//, "") }), made("p", { className: "room-here" }), made("p", { textContent: WORDS.leads }),
        ...notes.map((note) => made("p", { className: "room-note", textContent: note })), button("close_room", () => line.close()));
      const whole = made("div", { className: "room-code" }, made("img", { src: qr, alt: WORDS.qr }), words);
      whole.dataset.of = code;
      shown.replaceChildren(whole);
    }
    if (find(".room-here")) find(".room-here").textContent = many(state.here ?? 0);
  }

  function leave() {
    const url = new URL(location.href);
    url.searchParams.delete("room");
    history.replaceState(history.state, "", url);
    plan.close();
    line.leave();
  }

  let joins = false; // whether the dialog is for somebody who joins a class
  function openPlan(joining = line.joins) {
    joins = joining;
    find(".room-shown").replaceChildren();
    if (!plan.open) plan.showModal();
    drawPlan();
    find(joins ? ".room-shown input" : ".room-shown button")?.focus();
  }

  // ---- listening

  for (const text of box.querySelectorAll("[data-word]")) text.textContent = WORDS[text.dataset.word];
  find(".room-close").setAttribute("aria-label", WORDS.close);
  dock.setAttribute("aria-label", WORDS.dock);
  on(find(".room-private button"), "click", () => { keep(sessionStorage, { ...kept(sessionStorage), fine: true }); drawn = ""; draw(); });
  on(find(".room-name"), "click", () => openPlan());
  on(plan, "close", () => { line.refused = null; find(".room-shown").replaceChildren(); draw(); });
  on(document, "click", (event) => {
    const asks = event.target.closest?.("[data-room]")?.dataset.room;
    if (asks) openPlan(asks === "join");
  });
  on(document, "keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.repeat) return;
    if (event.composedPath()[0].closest?.("input:not([type=checkbox],[type=range],[type=radio]),textarea,select,[contenteditable=true],[role=dialog]")) return;
    if (event.key.toLowerCase() === "r" && plan.open) return plan.close();
    if (document.querySelector("dialog[open]")) return;
    if (event.key.toLowerCase() === "r") { event.preventDefault(); openPlan(false); }
    else if (event.key === "Enter" && line.role === "leads" && !data.lecture && !question()?.shown && !event.target.closest?.("button,a,summary,label,[role=radio]")) question()?.radios.at(-1).click();
  });

  let told = line.refused;
  function look() {
    if (line.role === "leads" && line.connected) lead();
    if (line.role === "follows") { follow(); reveal(); }
    point();
    if (line.refused !== told && (told = line.refused)) openPlan();
    if (line.role === "follows" && line.connected && find(".room-shown input")) plan.close(); // the code was right
    draw();
    if (line.role === "follows") showCode(); // above the strip, which is drawn by now
  }
  on(document, "room", look);
  const looking = setInterval(look, TICK);
  off.signal.addEventListener("abort", () => { clearInterval(looking); clearTimeout(telling); clearTimeout(pointed); });
  if (line.refused) openPlan();
  look();
  return () => off.abort();
}
