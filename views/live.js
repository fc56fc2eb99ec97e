// Text that follows the player. Fills every [data-now] with its series' value at this step, once
// the phase [data-known] is reached, and marks every [data-phase] that slow motion is in.

export default function ({ parentElement, data }) {
  const root = parentElement.querySelector(".live");
  root.innerHTML = data.html;
  const values = [...root.querySelectorAll("[data-now]")], lines = [...root.querySelectorAll("[data-phase]")];

  function draw() {
    const frame = document.querySelector("#player-step")?.frame;
    if (!frame) return; // the player mounts later, and then says so
    for (const span of values) {
      const known = frame.phase >= Number(span.dataset.known ?? 0);
      span.textContent = known ? frame.format(frame.values[span.dataset.now], span.dataset.digits) : "…";
    }
    for (const line of lines) line.classList.toggle("on", Number(line.dataset.phase) === frame.phase);
  }

  root.off?.abort();
  root.off = new AbortController();
  const listen = { capture: true, signal: root.off.signal };
  document.addEventListener("input", (event) => event.target.id === "player-step" && requestAnimationFrame(draw), listen);
  draw();
  return () => root.off.abort();
}
