// Notes what is written on each canvas: how large, in which colour, and where it stands on the
// canvas; and for which size of the window it was last drawn.
window.written = new Map();
window.drawnFor = new WeakMap();
window.windowSize = () => `${innerWidth}x${innerHeight}`;
const fillText = CanvasRenderingContext2D.prototype.fillText;
CanvasRenderingContext2D.prototype.fillText = function (text, x, y, ...rest) {
    const { a, b, e, f, d, c } = this.getTransform(), measured = this.measureText(text);
    const size = parseFloat(this.font.match(/([\d.]+)px/)[1]), ratio = devicePixelRatio;
    const corners = [[-measured.actualBoundingBoxLeft, -measured.actualBoundingBoxAscent],
                     [measured.actualBoundingBoxRight, measured.actualBoundingBoxDescent]]
        .map(([dx, dy]) => [(a * (x + dx) + c * (y + dy) + e) / ratio, (b * (x + dx) + d * (y + dy) + f) / ratio]);
    const list = window.written.get(this.canvas) ?? [];
    list.push({ text, size: size * Math.hypot(a, b) / ratio, color: this.fillStyle, alpha: this.globalAlpha, corners });
    window.written.set(this.canvas, list);
    return fillText.call(this, text, x, y, ...rest);
};
const clearRect = CanvasRenderingContext2D.prototype.clearRect;
CanvasRenderingContext2D.prototype.clearRect = function (...all) {
    window.written.delete(this.canvas);
    window.drawnFor.set(this.canvas, windowSize());
    return clearRect.call(this, ...all);
};
