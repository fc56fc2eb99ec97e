// Text that follows the player. Fills every [data-now] with its series' value at this step, or with
// the range from it to that of [data-to], once the moment [data-known] is reached; with the digits
// marked that differ from those of [data-like]. Marks every [data-moments] that slow motion is in, and of
// the [data-from] those that the player has reached, and the last of them.

export default function ({ parentElement, data }) {
  const root = parentElement.querySelector(".live");
  root.innerHTML = data.html;
  const values = [...root.querySelectorAll("[data-now]")], lines = [...root.querySelectorAll("[data-moments]")];
  const reached = [...root.querySelectorAll("[data-from]")];
  const during = lines.map((line) => line.dataset.moments.split(" ").map(Number));

  function draw() {
    const frame = document.querySelector("#player-step")?.frame;
    if (!frame) return; // the player mounts later, and then says so
    for (const span of values) {
      const { now, to, known, unknown, digits, like } = span.dataset;
      const text = (name) => (frame.moment >= Number(known) ? frame.format(frame.values[name], digits) : unknown);
      span.textContent = to && text(now) !== text(to) ? `${text(now)} … ${text(to)}` : text(now);
      if (like) markDifference(span, text(like));
      if ("signed" in span.dataset) span.textContent = /^−/.test(span.textContent) ? span.textContent.replace("−", "− ") : `+ ${span.textContent}`;
    }
    lines.forEach((line, i) => line.classList.toggle("on", during[i].includes(frame.moment)));
    for (const one of reached) {
      one.classList.toggle("passed", frame.step >= Number(one.dataset.from));
      one.classList.toggle("on", frame.step >= Number(one.dataset.from) && frame.step < Number(one.dataset.until));
    }
    keepInSight(root.querySelector(".follows"));
  }

  const follows = root.querySelector(".follows");
  const boxes = [root, root.closest(".stElementContainer"), ...root.querySelectorAll(".listing")].filter(Boolean);
  const resized = new ResizeObserver(() => { // what stands beside it may come later, and take room from it
    keepInSight(follows);
    boxes.forEach(reachable);
  });
  boxes.forEach((box) => resized.observe(box));

  root.off?.abort();
  root.off = new AbortController();
  const listen = { capture: true, signal: root.off.signal };
  document.addEventListener("input", (event) => event.target.id === "player-step" && requestAnimationFrame(draw), listen);
  draw();
  return () => { root.off.abort(); resized.disconnect(); };
}

function reachable(box) { // what has to be scrolled can be, with the keyboard too
  const scrolls = box.scrollHeight > box.clientHeight + 1 || box.scrollWidth > box.clientWidth + 1;
  const open = ["auto", "scroll"].includes(getComputedStyle(box).overflowY);
  if (scrolls && open) box.tabIndex = 0; else box.removeAttribute("tabindex");
}

function keepInSight(listing) { // scrolls a listing that is longer than its box to the marked lines, and nothing else
  const lines = [...(listing?.querySelectorAll("li.on, li.changed") ?? [])];
  if (!lines.length) return;
  const { top } = lines[0].getBoundingClientRect(), { bottom } = lines.at(-1).getBoundingClientRect();
  const box = listing.getBoundingClientRect();
  if (top >= box.top && bottom <= box.bottom) return;
  listing.scrollTop += Math.min(top - box.top, (top + bottom - box.top - box.bottom) / 2); // the first of them in any case
}

function markDifference(span, like) { // the digits from the first that is another one
  const text = span.textContent;
  let same = 0;
  while (same < text.length && text[same] === like[same]) same += 1;
  if (same === text.length) return;
  span.replaceChildren(text.slice(0, same), Object.assign(document.createElement("mark"), { textContent: text.slice(same) }));
}
