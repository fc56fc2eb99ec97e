// Pointing, in a lecture: what the pointer rests on grows, and the rest grows faint. A line of code or a cell
// of a table does so itself; of a picture, the part around the pointer is seen through a lens. Stands
// before talk.js, whose key P starts and ends it.

const GROWS = ".listing li, .st-key-stage :is(td, .story p.on)", TIMES = 1.5, WIDE = 0.75, HIGH = 0.32; // of the lens, as shares of the screen's height

function pointing() { // starts it where it is not, else ends it
  if (window.backstepPointing) return window.backstepPointing();
  const lens = Object.assign(document.createElement("canvas"), { className: "pointing-lens", hidden: true });
  document.documentElement.append(lens); // beside the body, which a lecturer may enlarge
  document.documentElement.classList.add("pointing");
  const off = new AbortController();
  let frame = 0, grown = null, x = -1, y = -1;

  function grow(element) {
    if (element === grown) return;
    grown?.classList.remove("pointed");
    (grown = element)?.classList.add("pointed");
  }

  function look() {
    frame = requestAnimationFrame(look);
    const under = document.elementFromPoint(x, y), picture = under?.closest(".st-key-stage canvas");
    grow(under?.closest(GROWS) ?? null);
    lens.hidden = !picture;
    if (picture) magnify(picture);
  }

  function magnify(picture) { // what lies under the pointer is in its middle, and all of it on the screen
    const [wide, high] = [WIDE * innerHeight, HIGH * innerHeight], paper = getComputedStyle(document.querySelector(".stApp")).backgroundColor;
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

  document.addEventListener("pointermove", ({ clientX, clientY }) => { [x, y] = [clientX, clientY]; }, { signal: off.signal });
  window.backstepPointing = () => {
    cancelAnimationFrame(frame);
    off.abort();
    grow(null);
    lens.remove();
    document.documentElement.classList.remove("pointing");
    delete window.backstepPointing;
  };
  look();
}
