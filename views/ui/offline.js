// A stage that was taken home: the same components and the same pictures as in the app, mounted by
// this script instead of by Streamlit. MODULES are the components' functions by name, PARTS what was
// on the stage, in its order; both stand before this.

const main = document.querySelector("main"), beside = document.querySelector(".beside");
document.querySelector("#root").value = "";

const COLOURS = {
  light: { background: "#ffffff", text: "#1b2733", quiet: "#4e5a66", line: "#d3dce4" },
  dark: { background: "#11181f", text: "#e6edf3", quiet: "#b4bfca", line: "#344250" },
};

function themed(spec, { background, text, quiet, line }) { // what Streamlit's theme sets, beneath what the picture does
  const axis = { labelColor: quiet, titleColor: quiet, gridColor: line, domainColor: line, tickColor: line, labelFontWeight: 400, titleFontWeight: 400, domain: false, ticks: false };
  const ours = { axis, legend: { labelColor: text, titleColor: text }, title: { color: text }, view: { stroke: "transparent" }, font: getComputedStyle(document.body).fontFamily };
  const config = { ...ours, ...spec.config };
  for (const name of Object.keys(ours)) if (name !== "font") config[name] = { ...ours[name], ...spec.config[name] };
  return { ...spec, background, config, width: "container", height: "container", autosize: { type: "fit", contains: "padding", resize: true } };
}

function place(kind, where) {
  const box = Object.assign(document.createElement("div"), { className: kind });
  where.append(box);
  return box;
}

// What stood in a column on the stage stands in one here, and what had all the width above them.
const columns = new Map(), whole = PARTS.some((part) => part.column !== null) ? main : beside;
function column(i) {
  if (i === null) return beside;
  if (!columns.has(i)) columns.set(i, place("column", beside));
  columns.get(i).style.order = i;
  return columns.get(i);
}

const pictures = [];
for (const { key, name, html, data, column: i } of PARTS) {
  if (!name) {
    const box = place("picture", column(i));
    box.dataset.key = key;
    pictures.push({ box, spec: data });
    continue;
  }
  if (!MODULES[name]) { // words, the same at every step
    place("words", i === null ? whole : column(i)).innerHTML = html;
    continue;
  }
  const telling = name === "live" && data.html.includes('class="story"');
  const box = name === "player" || telling ? place(name, main) : place(name === "live" ? "words" : "component", name === "live" && i === null ? whole : column(i));
  box.innerHTML = html;
  MODULES[name]({ parentElement: box, data, setTriggerValue() {}, setStateValue() {} });
}

async function draw() {
  const theme = document.documentElement.dataset.theme;
  for (const one of pictures) {
    one.view?.finalize();
    const made = await vegaEmbed(one.box, themed(one.spec, COLOURS[theme]), { actions: { export: true, source: false, compiled: false, editor: false }, renderer: "canvas" });
    one.view = made.view;
  }
  document.querySelector("#player-step")?.dispatchEvent(new Event("input", { bubbles: true }));
  document.body.dataset.drawn = theme;
}

function turn(theme) {
  document.documentElement.dataset.theme = theme;
  return draw();
}

main.append(beside); // below what is told
const dark = matchMedia("(prefers-color-scheme: dark)");
document.querySelector("#theme").onclick = () => turn(document.documentElement.dataset.theme === "dark" ? "light" : "dark");
turn(dark.matches ? "dark" : "light");
