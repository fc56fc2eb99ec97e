// Small images in rows, drawn on one canvas, a square for each pixel. Where data.read says for each
// step what is read in each image, it follows the player: an image that is misread has a frame, and
// in its corner the digit that is read. Where data.picks says which images are shown from each of the
// steps data.at on, these alone are; −1 is a place that stays empty. data.colors are two where pixels
// have a sign, and 127.5 is zero: that of what is positive, and that of what is negative. The place
// data.chosen has a frame; where data.choosable, a click on another place is the trigger `chosen`.

const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
const GAP = 0.08; // between two images, as a part of a cell
const INK = [31, 42, 53];

function coloured(value, colors) { // red, green, blue, and how much of it, of one pixel
  if (!colors) return [...INK, value];
  const color = colors[value < 127.5 ? 1 : 0];
  return [...[1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16)), Math.abs(2 * value - 255)];
}

export default function ({ parentElement, data, setTriggerValue }) {
  const root = parentElement.querySelector(".images"), { side, count, columns, names } = data;
  root.off?.abort();
  const off = (root.off = new AbortController());
  root.classList.toggle("hall", data.lecture);
  const images = bytes(data.images), read = data.read && bytes(data.read);
  const title = Object.assign(document.createElement("b"), { textContent: data.title });
  const canvas = document.createElement("canvas");
  canvas.setAttribute("role", "img");
  root.replaceChildren(title, canvas);
  const pen = canvas.getContext("2d"), shown = data.picks ? data.picks[0].length : count, rows = Math.ceil(shown / columns);

  canvas.style.setProperty("--shape", `${columns} / ${(names ? 1.4 : 1) * rows}`); // on a phone it is as high as it needs

  const ink = Object.assign(document.createElement("canvas"), { width: side * count, height: side });
  const strip = ink.getContext("2d"), pixels = strip.createImageData(side * count, side);
  for (let i = 0; i < count; i += 1)
    for (let y = 0; y < side; y += 1)
      for (let x = 0; x < side; x += 1) pixels.data.set(coloured(images[(i * side + y) * side + x], data.colors), 4 * (y * side * count + i * side + x));
  strip.putImageData(pixels, 0, 0);

  function draw() {
    const { width, height } = canvas.getBoundingClientRect(), scale = window.devicePixelRatio;
    if (!width || !height) return;
    canvas.width = width * scale;
    canvas.height = height * scale;
    pen.scale(scale, scale);
    pen.imageSmoothingEnabled = false;
    const em = parseFloat(getComputedStyle(document.documentElement).fontSize), below = names ? 1.5 * em : 0;
    const edge = data.chosen === null ? 0 : 4; // room for a frame
    const cell = Math.min((width - edge) / columns, (height - edge) / rows - below), size = cell * (1 - GAP);
    const step = document.querySelector("#player-step")?.frame?.step ?? 0, font = (data.lecture ? 1.02 : 0.8) * em;
    root.cell = [cell, cell + below, edge];
    let wrong = 0;
    pen.font = `600 ${font}px ${getComputedStyle(root).fontFamily}`;
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    const ours = getComputedStyle(root).color;
    for (let place = 0; place < shown; place += 1) {
      const x = edge + (place % columns) * cell, y = edge + Math.floor(place / columns) * (cell + below);
      const i = data.picks ? data.picks[data.at.findLastIndex((from) => from <= step)][place] : place;
      if (i < 0) continue;
      pen.fillStyle = "#f6f4ee"; // paper, in either theme
      pen.fillRect(x, y, size, size);
      pen.drawImage(ink, i * side, 0, side, side, x, y, size, size);
      if (place === data.chosen) { // between the images, so that it hides nothing of them
        const rim = GAP * cell;
        pen.strokeStyle = ours;
        pen.lineWidth = rim;
        pen.strokeRect(x - rim / 2, y - rim / 2, size + rim, size + rim);
        pen.strokeStyle = `rgb(${INK})`; // on paper, which in the dark theme is as light as the rim
        pen.lineWidth = rim / 2;
        pen.strokeRect(x, y, size, size);
      }
      if (names) {
        pen.fillStyle = ours;
        pen.fillText(names[i], x + size / 2, y + size + 0.75 * em, cell);
      }
      if (!read) continue;
      const steps = read.length / count, told = read[Math.min(step, steps - 1) * count + i];
      if (told === data.labels[i]) continue;
      wrong += 1;
      const thick = Math.max(2, 0.07 * cell), tag = 1.25 * font;
      pen.strokeStyle = pen.fillStyle = data.color;
      pen.lineWidth = thick;
      pen.strokeRect(x + thick / 2, y + thick / 2, size - thick, size - thick);
      pen.fillRect(x + size - tag, y + size - tag, tag, tag);
      pen.fillStyle = "#ffffff";
      pen.fillText(told, x + size - tag / 2, y + size - 0.46 * tag);
    }
    canvas.setAttribute("aria-label", data.told.replace("{wrong}", wrong));
    canvas.dataset.wrong = wrong;
  }

  function choose(event) {
    const { left, top } = canvas.getBoundingClientRect();
    const [wide, high, edge] = root.cell;
    const column = Math.floor((event.clientX - left - edge) / wide), row = Math.floor((event.clientY - top - edge) / high);
    const place = row * columns + column;
    if (column >= 0 && column < columns && place >= 0 && place < shown) setTriggerValue("chosen", place);
  }

  if (data.choosable) canvas.addEventListener("click", choose, { signal: off.signal });
  canvas.style.cursor = data.choosable ? "pointer" : "";
  document.addEventListener("input", (event) => event.target.id === "player-step" && requestAnimationFrame(draw), { capture: true, signal: off.signal });
  const resized = new ResizeObserver(draw);
  resized.observe(canvas);
  off.signal.addEventListener("abort", () => resized.disconnect());
  draw();
  return () => off.abort();
}
