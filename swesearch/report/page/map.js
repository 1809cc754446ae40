// The tree as a map on a canvas: ten thousand nodes stay smooth.

class TreeMap {
  constructor(canvas, model, choose) {
    Object.assign(this, {
      canvas,
      model,
      choose,
      places: new Map(),
      blocks: [],
      edges: [],
      width: 0,
      height: 0,
      chosen: null,
      scale: 1,
      x: 0,
      y: 0,
      fitted: true,
    });
    this.pen = canvas.getContext("2d");
    canvas.addEventListener("pointerdown", (event) => this.press(event));
    canvas.addEventListener("pointermove", (event) => this.move(event));
    canvas.addEventListener("pointerup", (event) => this.release(event));
    canvas.addEventListener("pointerleave", () => this.point(null));
    canvas.addEventListener("dblclick", (event) => this.zoom(1.7, event.offsetX, event.offsetY));
    canvas.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    new ResizeObserver(() => this.resize()).observe(canvas);
  }

  layout() {
    Object.assign(this, new Layout(this.model));
    if (this.fitted) this.fit();
    this.draw();
  }

  // Drawing

  resize() {
    const ratio = window.devicePixelRatio || 1;
    this.canvas.width = Math.round(this.canvas.clientWidth * ratio);
    this.canvas.height = Math.round(this.canvas.clientHeight * ratio);
    if (this.fitted) this.fit();
    this.draw();
  }

  draw() {
    if (!this.waiting)
      this.waiting = requestAnimationFrame(() => {
        this.waiting = 0;
        this.paint();
      });
  }

  paint() {
    const { pen, canvas, scale } = this,
      ratio = window.devicePixelRatio || 1;
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.clearRect(0, 0, canvas.width, canvas.height);
    pen.setTransform(ratio * scale, 0, 0, ratio * scale, ratio * this.x, ratio * this.y);
    this.sight = [-this.x / scale, -this.y / scale, (canvas.clientWidth - this.x) / scale, (canvas.clientHeight - this.y) / scale];
    this.paintBlocks();
    this.paintEdges();
    this.paintNodes();
    this.paintLabels();
  }

  // What is in sight, in the map's own units.
  sees(x, y, far) {
    const [left, top, right, bottom] = this.sight;
    return x + far > left && x - far < right && y + far > top && y - far < bottom;
  }

  paintBlocks() {
    const { pen } = this;
    pen.strokeStyle = inks.line;
    pen.lineWidth = 1 / Math.min(1, this.scale);
    pen.beginPath();
    for (const block of this.blocks) {
      const at = this.places.get(block.id);
      this.curve(at.x, at.y, block.x + block.width / 2, block.y);
    }
    pen.stroke();
    pen.fillStyle = inks.soft;
    pen.beginPath();
    for (const block of this.blocks) pen.rect(block.x, block.y, block.width, block.height);
    pen.fill();
  }

  // Edges of one width are one path; the likelier a change was thought to be, the wider.
  paintEdges() {
    const { pen } = this;
    this.edges.forEach((edges, width) => {
      pen.strokeStyle = width === 3 ? inks.pass : inks.line;
      pen.lineWidth = this.scale < 0.15 && width < 3 ? 0.5 / this.scale : (1 + 0.7 * width) / Math.min(1, this.scale);
      pen.beginPath();
      for (const [from, to] of edges) this.curve(from.x, from.y, to.x, to.y);
      pen.stroke();
    });
  }

  curve(x0, y0, x1, y1) {
    const middle = (y0 + y1) / 2;
    if (!this.sees((x0 + x1) / 2, middle, Math.max(Math.abs(x1 - x0), y1 - y0))) return;
    this.pen.moveTo(x0, y0);
    this.scale < 0.2 ? this.pen.lineTo(x1, y1) : this.pen.bezierCurveTo(x0, middle, x1, middle, x1, y1);
  }

  // Marks of one colour are drawn together: that is what makes thousands of them cheap.
  paintNodes() {
    const { hits } = this.model,
      groups = inks.scale.map(() => [[], []]), // by value: those to be seen, and those that the search leaves aside
      special = [];
    for (const [id, at] of this.places) {
      const faint = hits !== null && !hits.has(id);
      if (!this.sees(at.x, at.y, CELL)) continue;
      if (at.special || id === this.chosen) special.push([at.node, faint]);
      else groups[at.colour][Number(faint)].push(at);
    }
    groups.forEach((pair, colour) => pair.forEach((marks, faint) => this.paintMarks(marks, inks.scale[colour], faint)));
    for (const [node, faint] of special) this.paintSpecial(node, faint);
    this.pen.globalAlpha = 1;
  }

  paintMarks(marks, colour, faint) {
    const { pen } = this;
    pen.globalAlpha = faint ? 0.18 : 1;
    pen.fillStyle = colour;
    // Where they are too small to be told apart squares do, and are much cheaper.
    if (this.scale < 0.35) return marks.forEach((at) => this.square(at));
    pen.strokeStyle = inks.dim;
    pen.lineWidth = 0.5;
    pen.beginPath();
    for (const at of marks) this.round(at);
    pen.fill();
    if (this.scale > 0.5) pen.stroke();
  }

  square(at) {
    const half = 0.9 * this.radius(at.node.id);
    this.pen.fillRect(at.x - half, at.y - half, 2 * half, 2 * half);
  }

  round(at) {
    const size = this.radius(at.node.id);
    this.pen.moveTo(at.x + size, at.y);
    this.pen.arc(at.x, at.y, size, 0, 7);
  }

  radius(id) {
    return Math.max(this.places.get(id).size, Math.min(7, 1 / this.scale)); // never smaller than two pixels, while there is room
  }

  paintSpecial(node, faint) {
    const { pen } = this,
      at = this.places.get(node.id),
      size = this.radius(node.id);
    pen.globalAlpha = faint ? 0.18 : 1;
    pen.beginPath();
    if (node.outcome === "passes") {
      const wide = size + 2;
      (pen.moveTo(at.x, at.y - wide),
        pen.lineTo(at.x + wide, at.y),
        pen.lineTo(at.x, at.y + wide),
        pen.lineTo(at.x - wide, at.y),
        pen.closePath());
    } else if (node.outcome === "refused") {
      (pen.moveTo(at.x - 4, at.y - 4), pen.lineTo(at.x + 4, at.y + 4), pen.moveTo(at.x + 4, at.y - 4), pen.lineTo(at.x - 4, at.y + 4));
    } else this.round(at);
    pen.fillStyle = colour(node);
    pen.strokeStyle = inks.dim;
    pen.lineWidth = node.outcome === "refused" ? 1.6 : 0.5;
    node.outcome === "refused" ? pen.stroke() : pen.fill();
    if (node.id !== this.chosen) return;
    pen.globalAlpha = 1;
    pen.strokeStyle = inks.ink;
    pen.lineWidth = 2 / Math.min(1, this.scale);
    pen.beginPath();
    pen.arc(at.x, at.y, size + 5 / Math.min(1, this.scale), 0, 7);
    pen.stroke();
  }

  paintLabels() {
    const { pen, model } = this;
    pen.fillStyle = inks.ink;
    pen.font = `${11 / Math.max(0.9, Math.min(this.scale, 1.2))}px system-ui, sans-serif`;
    pen.textBaseline = "middle";
    pen.strokeStyle = inks.panel;
    pen.lineWidth = 4;
    pen.lineJoin = "round";
    for (const id of this.scale > 0.55 ? model.path : []) {
      const at = this.places.get(id),
        node = model.nodes.get(id);
      if (!at) continue;
      const words = `${node.value.toFixed(2)} · ${many(model.visits.get(id), "visit")}`,
        below = !model.kids.get(id).length; // beside it others stand
      pen.textAlign = below ? "center" : "left";
      const place = [below ? at.x : at.x + this.radius(id) + 7, below ? at.y + this.radius(id) + 16 : at.y - 1];
      pen.strokeText(words, ...place); // a ground of its own, whatever stands there
      pen.fillText(words, ...place);
    }
  }

  // Moving about

  fit() {
    const { clientWidth: wide, clientHeight: high } = this.canvas;
    this.scale = Math.max(0.02, Math.min(1.5, (wide - 60) / (this.width + 60), (high - 50) / (this.height + 30)));
    this.x = (wide - this.scale * this.width) / 2;
    this.y = (high - this.scale * this.height) / 2;
    this.fitted = true;
    this.draw();
  }

  zoom(by, x = this.canvas.clientWidth / 2, y = this.canvas.clientHeight / 2) {
    const scale = Math.max(0.02, Math.min(6, this.scale * by)),
      real = scale / this.scale;
    Object.assign(this, { x: x - (x - this.x) * real, y: y - (y - this.y) * real, scale, fitted: false });
    this.draw();
  }

  wheel(event) {
    if (!event.ctrlKey && !event.metaKey) return; // the page scrolls on
    event.preventDefault();
    this.zoom(Math.exp(-event.deltaY * 0.002), event.offsetX, event.offsetY);
  }

  press(event) {
    this.drag = { x: event.clientX, y: event.clientY, far: 0 };
    this.canvas.setPointerCapture(event.pointerId);
  }

  move(event) {
    if (!this.drag) return this.point(this.hit(event), event);
    const dx = event.clientX - this.drag.x,
      dy = event.clientY - this.drag.y;
    Object.assign(this.drag, { x: event.clientX, y: event.clientY, far: this.drag.far + Math.abs(dx) + Math.abs(dy) });
    if (this.drag.far > 4) Object.assign(this, { x: this.x + dx, y: this.y + dy, fitted: false });
    this.draw();
  }

  release(event) {
    const clicked = this.drag && this.drag.far <= 4,
      id = this.hit(event);
    this.drag = null;
    if (clicked && id !== null) this.choose(id);
  }

  hit(event) {
    const x = (event.offsetX - this.x) / this.scale,
      y = (event.offsetY - this.y) / this.scale,
      reach = 6 / this.scale;
    let found = null,
      nearest = Infinity;
    for (const [id, at] of this.places) {
      const far = Math.hypot(at.x - x, at.y - y);
      if (far < nearest && far < this.radius(id) + Math.min(reach, CELL)) [found, nearest] = [id, far];
    }
    return found;
  }

  point(id, event) {
    const hint = $("hint");
    hint.hidden = id === null;
    this.canvas.style.cursor = id === null ? "" : "pointer";
    if (id === null) return;
    const node = this.model.nodes.get(id),
      prior = node.prior === null ? "" : ` · prior ${chance(node.prior)}`;
    fill(
      hint,
      `n${id} · value ${node.value.toFixed(2)} · ${many(this.model.visits.get(id), "visit")}${prior}`,
      h("br"),
      short(titled(node), 160),
    );
    hint.style.left = `${Math.min(event.offsetX + 14, this.canvas.clientWidth - hint.offsetWidth - 8)}px`;
    hint.style.top = `${Math.min(event.offsetY + 14, this.canvas.clientHeight - hint.offsetHeight - 8)}px`;
  }

  // Bring a node into sight.
  show(id) {
    this.chosen = id;
    const at = this.places.get(id);
    if (at) {
      const x = at.x * this.scale + this.x,
        y = at.y * this.scale + this.y,
        { clientWidth: width, clientHeight: height } = this.canvas;
      if (x < 20 || x > width - 20) this.x += width / 2 - x;
      if (y < 20 || y > height - 20) this.y += height / 2 - y;
    }
    this.draw();
  }
}
