// The way through the pages and chapters: links, an overview, and what comes after the last moment.
//
// Every link is a real one, for a new tab or a bookmark. Followed here, it asks the server for
// another run instead of a new page, by the trigger `go`: {page, chapter, backwards}.

// A tap does what a click does. A picture knows what lies under a pointer from its last move, and a
// finger makes none: it is made here, before the picture hears of the tap.
let finger = false; // whether the last that touched the screen was one
function point(event) {
  const { target, type, pointerType, clientX, clientY } = event;
  if (type === "pointerdown") finger = pointerType === "touch";
  if (!finger || !target.closest?.(".stVegaLiteChart canvas, .stVegaLiteChart svg")) return;
  target.dispatchEvent(new PointerEvent("pointermove", { bubbles: true, clientX, clientY, pointerType: "mouse" }));
}

export default function ({ parentElement, data, setTriggerValue }) {
  const find = (selector) => parentElement.querySelector(selector);
  const nav = find(".contents"), all = find(".contents-all");
  nav.off?.abort();
  const off = (nav.off = new AbortController());
  const on = (target, type, listener) => target.addEventListener(type, listener, { signal: off.signal });
  const { pages, page, chapter, words } = data;

  const base = location.pathname.replace(/[^/]*$/, "");

  function link(there, to, text) {
    const query = new URLSearchParams(data.lecture ? { lecture: "true" } : {});
    if (to) query.set("chapter", to);
    const here = there === page && (to === undefined || to === chapter);
    const made = Object.assign(document.createElement("a"), { href: `${base}${pages[there].path}${query.size ? "?" : ""}${query}`, textContent: text });
    if (here) made.setAttribute("aria-current", to === undefined ? "page" : "step");
    made.onclick = (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
      event.preventDefault();
      all.close();
      go({ page: there, chapter: to ?? null, backwards: false });
    };
    return made;
  }

  function element(name, ...children) {
    const made = document.createElement(name);
    made.append(...children);
    return made;
  }

  function go(where) {
    if (!where) return;
    document.dispatchEvent(new Event("player-leave"));
    setTriggerValue("go", where);
  }

  // The header of a lecture stays in sight while the focus is in it. What a pointer has pressed there
  // would bring it back at the next key.
  if (data.lecture && document.querySelector(".st-key-header :focus:not(:focus-visible)")) document.activeElement.blur();

  nav.setAttribute("aria-label", words.contents);
  const open = find(".contents-open");
  for (const [button, word] of [[open, words.overview], [find(".contents-close"), words.close]]) {
    button.title = word;
    button.setAttribute("aria-label", word);
  }
  readNumbers(find(".no-number"), words.no_number, off.signal);
  find(".contents-pages").replaceChildren(...pages.map(({ title }, i) => element("li", link(i, undefined, i ? title : "Backstep"))));
  find(".contents-chapters").replaceChildren(...pages[page].chapters.map(({ name, title }) => element("li", link(page, name, title))));
  const row = find(".contents-chapters"), current = row.querySelector("[aria-current]");
  const seen = new ResizeObserver(() => {
    const from = current.offsetLeft - row.offsetLeft;
    row.scrollLeft = from + current.offsetWidth > row.clientWidth ? from - 40 : 0;
  });
  if (current) seen.observe(row); // at once, and when it has its width
  off.signal.addEventListener("abort", () => seen.disconnect());

  // Nothing on a fresh page has the focus, and without it no key scrolls.
  on(document, "keydown", ({ key }) => {
    const scrolls = ["PageDown", "PageUp", "ArrowDown", "ArrowUp", "Home", "End", " "].includes(key);
    if (!data.lecture && scrolls && document.activeElement === document.body) document.querySelector("[data-testid=stMain]").focus({ preventScroll: true });
  });

  function overview() {
    find(".contents-all > div").replaceChildren(...pages.map(({ title, chapters }, i) => element("section",
      element("h2", link(i, undefined, title)), element("ol", ...chapters.map((one) => element("li", link(i, one.name, one.title)))))));
    all.showModal();
  }

  on(open, "click", overview);
  on(document, "click", (event) => { // a link of ours that is somewhere else on the page
    const card = event.target.closest?.("a[data-page]");
    if (!card || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    go({ page: Number(card.dataset.page), chapter: null, backwards: false });
  });
  for (const type of ["pointerdown", "mousedown", "click"]) document.addEventListener(type, point, { capture: true, signal: off.signal });
  on(document, "focusin", ({ target }) => { // what appears there is an answer to what is pressed in it
    target.closest?.("[class*=st-key-read-out]")?.setAttribute("aria-live", "polite");
  });
  on(document, "player-turn", (event) => go(event.detail > 0 ? data.next : data.back));
  on(document, "keydown", (event) => {
    if (!data.lecture || event.defaultPrevented || all.open || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.composedPath()[0].closest?.("input:not([type=checkbox],[type=range]),textarea,select,[role=slider]")) return;
    const by = { PageDown: data.next, PageUp: data.back }[event.key];
    if (by && !document.querySelector("#player-step")) { event.preventDefault(); go(by); } // else the player says when
  });
  return () => off.abort();
}
