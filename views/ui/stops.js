// Stops of a talk as they are drawn: in a hidden frame, small for the speaker's view, and on the paper of a
// handout. WORDS stands before this, and talk.js behind it.

const SMALL = 640; // pixels: how wide a picture is for the speaker

function made(tag, attributes = {}, ...children) {
  const element = Object.assign(document.createElement(tag), attributes);
  element.append(...children);
  return element;
}

const escaped = (text) => made("i", { textContent: text }).innerHTML;

function still(page) { // what a page's stage shows: its pictures, each in its place, as one small one, and what is told there
  const stage = page?.querySelector(".st-key-stage");
  if (!stage) return null;
  const says = [...stage.querySelectorAll(".player-readout, .story p.on")].map((one) => one.innerText.replace(/\s+/g, " ").trim());
  const shown = [...stage.querySelectorAll("canvas")].map((picture) => ({ picture, at: picture.getBoundingClientRect() })).filter(({ picture, at }) => picture.width && at.width && at.height);
  return { picture: shown.length ? together(shown, page) : null, says: says.filter(Boolean) };
}

function together(shown, page) {
  const end = (side, most) => most(...shown.map(({ at }) => at[side]));
  const left = end("left", Math.min), top = end("top", Math.min), scale = SMALL / (end("right", Math.max) - left);
  const small = Object.assign(document.createElement("canvas"), { width: SMALL, height: Math.max(1, Math.round((end("bottom", Math.max) - top) * scale)) }), pen = small.getContext("2d");
  pen.fillStyle = page.defaultView.getComputedStyle(page.querySelector(".stApp")).backgroundColor;
  pen.fillRect(0, 0, small.width, small.height);
  for (const { picture, at } of shown) pen.drawImage(picture, (at.left - left) * scale, (at.top - top) * scale, at.width * scale, at.height * scale);
  return small.toDataURL();
}

function loaded(base, at) { // a frame with this stop, once all of it is there
  const frame = made("iframe", { className: "talk-ready", title: WORDS.ready, src: `${base}${at.slice(1)}${at.includes("?") ? "&" : "?"}lecture=true`, tabIndex: -1 });
  frame.setAttribute("aria-hidden", "true");
  document.body.append(frame);
  return new Promise((resolve) => {
    let calm = 0, waited = 0, before = 0;
    const look = setInterval(() => {
      const stage = frame.contentDocument?.querySelector('[data-test-script-state="notRunning"] .st-key-stage');
      const drawn = stage && [...stage.querySelectorAll(".stVegaLiteChart")].every((chart) => chart.querySelector("canvas,svg"));
      const parts = stage?.querySelectorAll("*").length ?? 0; // they come one by one
      calm = drawn && parts === before ? calm + 1 : 0;
      before = parts;
      waited += 1;
      if (calm < 5 && waited < 300) return;
      clearInterval(look);
      resolve(frame);
    }, 100);
  });
}

async function handout(paper, base, talk) { // all stops, one below the other, in a window that is open
  paper.document.write(`<!doctype html><meta charset="utf-8"><title>${escaped(talk.title || WORDS.handout)}</title><style>
    body { font: 11pt/1.4 system-ui, sans-serif; max-width: 60rem; margin: 1rem auto; padding: 0 1rem; color: #1b2733; background: #fff; }
    .notes { white-space: pre-line; } .choice { display: flex; gap: 1rem; } body:has(.choice input:not(:checked)) .notes, .choice:has(~ .wait) { display: none; }
    @media print { .choice { display: none; } }
    section { break-inside: avoid; border-top: 1px solid #aaa; } img { max-width: 49%; vertical-align: top; } pre { font-size: 8.5pt; white-space: pre-wrap; }
    .at { font-size: 8.5pt; overflow-wrap: anywhere; } </style><p class="choice"><label><input type="checkbox" checked> ${WORDS.with_notes}</label> <button type="button" onclick="print()">${WORDS.print}</button></p><h1>${escaped(talk.title)}</h1><p class="wait"></p>`);
  for (const [i, stop] of talk.stops.entries()) {
    paper.document.querySelector(".wait").textContent = WORDS.making.replace("{i}", i + 1).replace("{count}", talk.stops.length);
    const frame = await loaded(base, stop.at), stage = frame.contentDocument;
    const texts = [...stage.querySelectorAll(".st-key-stage :is(.story p.on, .stMarkdown p)")].map((one) => one.innerText);
    const code = [...stage.querySelectorAll(".st-key-stage .listing ol")].map((one) => [...one.querySelectorAll("code")].map((line) => line.textContent).join("\n"));
    code.unshift(...[...stage.querySelectorAll(".st-key-stage .edit")].map((one) => one.innerText)); // the lines of a mistake
    const images = [...stage.querySelectorAll(".st-key-stage canvas")].map((one) => `<img alt="" src="${one.toDataURL()}">`);
    const html = [`<h2>${i + 1}. ${escaped(stop.name)}</h2>`, `<p class="notes">${escaped(stop.notes)}</p>`, ...texts.map((text) => `<p>${escaped(text)}</p>`),
      images.join(" "), ...code.map((text) => `<pre>${escaped(text)}</pre>`), `<p class="at">${escaped(location.origin + base.slice(0, -1) + stop.at)}</p>`];
    paper.document.body.append(Object.assign(paper.document.createElement("section"), { innerHTML: html.join("") }));
    frame.remove();
  }
  paper.document.querySelector(".wait").remove();
}

