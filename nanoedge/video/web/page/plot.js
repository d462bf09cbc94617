"use strict";
/* Lines over the last minutes on a canvas. */

class Plot {
  constructor(canvas, length) {
    this.canvas = canvas;
    this.length = length;
    this.series = new Map();
  }

  /* Values of one moment: name to {value, colour, dashed}. */
  add(values) {
    for (const [name, at] of Object.entries(values)) {
      if (!this.series.has(name)) this.series.set(name, { points: [], colour: at.colour, dashed: at.dashed });
      const points = this.series.get(name).points;
      points.push(at.value);
      if (points.length > this.length) points.shift();
    }
    this.draw();
  }

  draw() {
    const ratio = window.devicePixelRatio || 1;
    const width = this.canvas.clientWidth || 300;
    const height = 110;
    this.canvas.width = width * ratio;
    this.canvas.height = height * ratio;
    const pen = this.canvas.getContext("2d");
    pen.scale(ratio, ratio);
    pen.clearRect(0, 0, width, height);
    const style = getComputedStyle(document.documentElement);
    const all = [...this.series.values()].flatMap((line) => line.points).filter(Number.isFinite);
    const top = Math.max(1e-6, ...all) * 1.1;
    const left = 34;
    pen.font = "10px system-ui, sans-serif";
    pen.fillStyle = style.getPropertyValue("--quiet");
    pen.strokeStyle = style.getPropertyValue("--line");
    pen.textAlign = "right";
    for (const share of [0, 0.5, 1]) {
      const y = height - 6 - share * (height - 16);
      pen.beginPath();
      pen.moveTo(left, y);
      pen.lineTo(width, y);
      pen.stroke();
      const value = share * top;
      pen.fillText(value >= 10 ? value.toFixed(0) : value.toFixed(1), left - 4, y + 3);
    }
    pen.lineWidth = 1.5;
    for (const line of this.series.values()) {
      pen.strokeStyle = line.colour;
      pen.setLineDash(line.dashed ? [3, 3] : []);
      pen.beginPath();
      const offset = this.length - line.points.length;
      line.points.forEach((value, index) => {
        if (!Number.isFinite(value)) return;
        const x = left + ((offset + index) / (this.length - 1)) * (width - left);
        const y = height - 6 - (value / top) * (height - 16);
        if (index === 0) pen.moveTo(x, y);
        else pen.lineTo(x, y);
      });
      pen.stroke();
    }
    pen.setLineDash([]);
  }
}
