// Pointing, in a lecture: what the pointer rests on grows, and the rest grows faint. A line of code or a cell
// of a table does so itself; of a picture, the part around the pointer is seen through a lens. Stands
// before talk.js, whose key P starts and ends it.
//
// What is pointed at is told to the document as "pointing": {box, part}, a place of the stage that has a name
// and which of its parts, or {box, part, x, y}, which of its pictures and where, in thousandths; or null. A
// room takes it to its phones, and there "point-at" with the same has them show it.

const GROWS = ".listing li, .st-key-stage :is(td, .story p.on)", TIMES = 1.5, WIDE = 0.75, HIGH = 0.32; // of the lens, as shares of the screen's height
const PICTURES = ".st-key-stage canvas.marks", NAMED = "[class*=st-key-]"; // what has a key of Streamlit’s

let pointer = [-1, -1]; // where it rests
document.addEventListener("pointermove", ({ clientX, clientY }) => { pointer = [clientX, clientY]; });

const nameOf = (box) => [...(box?.classList ?? [])].find((name) => name.startsWith("st-key-"));
const thousandths = (at, from, length) => Math.round(1000 * Math.max(0, Math.min(1, (at - from) / length)));

function told(element, x, y) { // what lies there, as another window finds it; or null
  const picture = element?.closest(PICTURES), thing = picture ?? element?.closest(GROWS), box = thing?.closest(NAMED), name = nameOf(box);
  if (!name) return null;
  const part = [...box.querySelectorAll(picture ? PICTURES : GROWS)].indexOf(thing);
  if (!picture) return { box: name, part };
  const { left, top, width, height } = picture.getBoundingClientRect();
  return { box: name, part, x: thousandths(x, left, width), y: thousandths(y, top, height) };
}

function marker() { // what makes a thing grow: `show` is told which, anew in each frame
  const root = document.documentElement, lens = Object.assign(document.createElement("canvas"), { className: "pointing-lens", hidden: true });
  let grown = null;
  root.append(lens); // beside the body, which a lecturer may enlarge
  root.classList.add("pointing");

  function grow(element) {
    if (element === grown) return;
    grown?.classList.remove("pointed");
    (grown = element)?.classList.add("pointed");
  }

  function magnify(picture, x, y) { // what lies there is in its middle, and all of it on the screen
    const [wide, high] = [Math.min(WIDE * innerHeight, 0.94 * innerWidth), HIGH * innerHeight], paper = getComputedStyle(document.querySelector(".stApp")).backgroundColor;
    const size = [wide, high].map((length) => Math.round(length * devicePixelRatio));
    if (lens.width !== size[0] || lens.height !== size[1]) [lens.width, lens.height] = size;
    const left = Math.max(0, Math.min(innerWidth - wide, x - wide / 2)), top = Math.max(0, Math.min(innerHeight - high, y - high / 2));
    Object.assign(lens.style, { left: `${left}px`, top: `${top}px`, width: `${wide}px`, height: `${high}px` });
    lens.style.setProperty("--paper", paper);
    const pen = lens.getContext("2d"), box = picture.getBoundingClientRect(), scale = picture.width / box.width;
    const from = [x - wide / 2 / TIMES - box.left, y - high / 2 / TIMES - box.top, wide / TIMES, high / TIMES];
    pen.fillStyle = paper;
    pen.fillRect(0, 0, ...size);
    pen.drawImage(picture, ...from.map((length) => length * scale), 0, 0, ...size);
  }

  function show(element, x, y) {
    const picture = element?.closest(PICTURES);
    grow(element?.closest(GROWS) ?? null);
    lens.hidden = !picture;
    if (picture) magnify(picture, x, y);
  }

  function end() {
    grow(null);
    lens.remove();
    root.classList.remove("pointing");
  }

  return { show, end };
}

function pointing() { // by this window's own pointer: starts it where it is not, else ends it
  if (window.backstepPointing) return window.backstepPointing();
  const { show, end } = marker();
  let frame = 0, said = "null";

  function tell(what) {
    const text = JSON.stringify(what);
    if (text !== said) document.dispatchEvent(new CustomEvent("pointing", { detail: what }));
    said = text;
  }

  function look() {
    frame = requestAnimationFrame(look);
    const [x, y] = pointer, under = document.elementFromPoint(x, y);
    show(under, x, y);
    tell(told(under, x, y));
  }

  window.backstepPointing = () => {
    cancelAnimationFrame(frame);
    end();
    tell(null);
    delete window.backstepPointing;
  };
  look();
}

function pointAt(what) { // by somebody else's pointer: what they have told, or null for no more
  const following = (window.backstepPointed ??= { frame: 0, marker: null });
  cancelAnimationFrame(following.frame);
  if (!what) {
    following.marker?.end();
    delete window.backstepPointed;
    return;
  }
  following.marker ??= marker();
  const found = () => document.querySelector(`:is(.st-key-stage, .st-key-stage *).${CSS.escape(what.box)}`)?.querySelectorAll("x" in what ? PICTURES : GROWS)[what.part];
  const thing = found();
  if (thing !== following.thing) thing?.scrollIntoView({ block: "center" }); // on a phone they lie below each other, and the room below them
  following.thing = thing;
  function look() {
    following.frame = requestAnimationFrame(look);
    const thing = found();
    const { left = 0, top = 0, width = 0, height = 0 } = thing?.getBoundingClientRect() ?? {};
    following.marker.show(thing ?? null, left + (width * (what.x ?? 0)) / 1000, top + (height * (what.y ?? 0)) / 1000);
  }
  look();
}
