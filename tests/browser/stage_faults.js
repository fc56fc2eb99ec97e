// What is wrong with the stage as it is on the screen: out of the window, on each other, too small or
// faint, or cut; and what is wrong with the headings of the page. Takes the least size of text in pixels.
(least) => {
    const wrong = [], stage = document.querySelector(".st-key-stage").getBoundingClientRect();
    if (innerWidth > 640 && stage.bottom > innerHeight + 1) wrong.push(`the stage ends at ${stage.bottom} of ${innerHeight}`);
    const phone = innerWidth <= 640, shown = [];
    for (const part of document.querySelectorAll(".st-key-stage .stElementContainer")) {
        const box = part.getBoundingClientRect();
        if (box.width < 2 || box.height < 2 || part.querySelector(".stElementContainer")) continue;
        shown.push([part, box]);
        const name = part.innerText.slice(0, 30).replace(/\s+/g, " ") || part.className.slice(-40);
        if (box.right > innerWidth + 1 || box.left < -1) wrong.push(`${name}: beside the window`);
        if (!phone && box.bottom > innerHeight + 1) wrong.push(`${name}: ends at ${box.bottom}`);
    }
    for (const [i, [one, a]] of shown.entries()) for (const [other, b] of shown.slice(i + 1)) {
        const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left);
        const high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
        if (wide > 2 && high > 2) wrong.push(`${one.innerText.slice(0, 20)} lies on ${other.innerText.slice(0, 20)}`);
    }
    // What would have to be scrolled on the stage is not seen; only long listings may be, downwards.
    for (const box of document.querySelectorAll(".st-key-stage *")) {
        const wide = box.scrollWidth - box.clientWidth > 2, high = box.scrollHeight - box.clientHeight > 2;
        if (!(wide || high) || box.clientWidth < 3 || box.clientHeight < 3 || box.closest("svg")) continue;
        const look = getComputedStyle(box), name = box.innerText?.slice(0, 30).replace(/\s+/g, " ") || box.className;
        if (wide && look.overflowX !== "visible") wrong.push(`${name}: ${box.scrollWidth} wide in ${box.clientWidth}`);
        if (high && look.overflowY !== "visible" && !box.querySelector(":scope .listing") && !box.closest(".listing")) wrong.push(`${name}: ${box.scrollHeight} high in ${box.clientHeight}`);
    }
    for (const player of document.querySelectorAll(".st-key-stage .player")) {
        const [first, ...rest] = player.querySelectorAll(":scope > :not(.player-readout, .player-next)");
        if (rest.some((part) => part.checkVisibility() && part.getBoundingClientRect().top > first.getBoundingClientRect().bottom)) wrong.push("the bar takes two lines");
    }
    // The contrast of a colour as a canvas names it, at this opacity, with the page's (WCAG 2.2).
    const channels = (color) => color[0] === "#" ? color.slice(1).match(/../g).map((part) => parseInt(part, 16)) : color.match(/[\d.]+/g).map(Number);
    const light = (rgb) => rgb.map((part) => part / 255).map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4).reduce((sum, part, i) => sum + part * [0.2126, 0.7152, 0.0722][i], 0.05);
    const ground = channels(getComputedStyle(document.querySelector(".stApp")).backgroundColor);
    const contrast = (color, opacity) => {
        const [r, g, b, alpha = 1] = channels(color), share = alpha * opacity;
        const lights = [light(ground), light([r, g, b].map((part, i) => share * part + (1 - share) * ground[i]))];
        return Math.max(...lights) / Math.min(...lights);
    };
    for (const canvas of document.querySelectorAll(".st-key-stage .stVegaLiteChart canvas")) {
        const box = canvas.getBoundingClientRect();
        if (box.height < 60 || box.width < 100) wrong.push(`a picture of ${box.width} x ${box.height}`);
        const read = [];
        for (const { text, size, color, alpha, corners: [[x1, y1], [x2, y2]] } of window.written.get(canvas) ?? []) {
            if (!text.trim() || alpha === 0) continue;
            if (size < least - 0.05) wrong.push(`${text}: ${size} px`);
            if (contrast(color, alpha) < 4.5) wrong.push(`${text}: contrast ${contrast(color, alpha).toFixed(2)}`);
            if (/\S…$/.test(text)) wrong.push(`${text} is shortened`);
            const left = Math.min(x1, x2), right = Math.max(x1, x2), top = Math.min(y1, y2), bottom = Math.max(y1, y2);
            if (left < -2 || top < -2 || right > box.width + 2 || bottom > box.height + 2) wrong.push(`${text}: cut at ${[left, top, right, bottom].map(Math.round)} of ${box.width} x ${box.height}`);
            for (const other of read) {
                const wide = Math.min(right, other.right) - Math.max(left, other.left), high = Math.min(bottom, other.bottom) - Math.max(top, other.top);
                if (wide > 2 && high > 2 && !(text === other.text && wide > 0.9 * (right - left))) wrong.push(`${text} is written over ${other.text}`);
            }
            read.push({ text, left, right, top, bottom });
        }
    }
    // Those who hear the page find their way by its headings.
    let level = 1;
    for (const heading of document.querySelectorAll("h1, h2, h3, h4, h5, h6, th")) {
        if (!heading.checkVisibility({ visibilityProperty: true })) continue;
        if (!heading.innerText.trim()) wrong.push(`an empty ${heading.tagName}`);
        if (heading.tagName === "TH") continue;
        if (+heading.tagName[1] > level + 1) wrong.push(`${heading.innerText}: ${heading.tagName} after H${level}`);
        level = +heading.tagName[1];
    }
    return [...new Set(wrong)];
}
