// The tree as a map on a canvas: ten thousand nodes stay smooth. Children that nothing was built upon stand together in a block.

const CELL = 16, GAP = 22, LEVEL = 58;

class TreeMap {
  constructor(canvas, model, choose) {
    Object.assign(this, { canvas, model, choose, places: new Map(), blocks: [], chosen: null, scale: 1, x: 0, y: 0, fitted: true });
    this.pen = canvas.getContext("2d");
    canvas.addEventListener("pointerdown", (event) => this.press(event));
    canvas.addEventListener("pointermove", (event) => this.move(event));
    canvas.addEventListener("pointerup", (event) => this.release(event));
    canvas.addEventListener("pointerleave", () => this.point(null));
    canvas.addEventListener("dblclick", (event) => this.zoom(1.7, event.offsetX, event.offsetY));
    canvas.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    new ResizeObserver(() => this.resize()).observe(canvas);
  }

  // Where everything stands

  layout() {
    const { model } = this, size = new Map();
    for (let k = model.order.length - 1; k >= 0; k--) size.set(model.order[k], this.measure(model.order[k], size));
    this.places.clear();
    this.blocks = [];
    let left = 0;
    for (const root of model.roots) {
      this.places.set(root, { x: left + size.get(root).width / 2, y: 0 });
      left += size.get(root).width + GAP;
    }
    for (const id of model.order) this.spread(id, size);
    const all = [...this.places.values()];
    this.box = all.reduce((box, at) => [Math.min(box[0], at.x), Math.min(box[1], at.y), Math.max(box[2], at.x), Math.max(box[3], at.y)], [0, 0, 0, 0]);
    if (this.fitted) this.fit();
    this.draw();
  }

  measure(id, size) {
    const { model } = this, kids = model.kids.get(id);
    const inner = kids.filter((kid) => model.kids.get(kid).length || model.path.has(kid)), leaves = kids.filter((kid) => !inner.includes(kid));
    const columns = Math.min(leaves.length, Math.max(4, Math.ceil(Math.sqrt(leaves.length * 2.6))));
    const parts = inner.map((kid) => size.get(kid).width);
    if (leaves.length) parts.push(columns * CELL);
    const width = parts.reduce((sum, part) => sum + part, 0) + GAP * Math.max(0, parts.length - 1);
    return { inner, leaves, columns, width: Math.max(CELL, width), inside: width };
  }

  spread(id, size) {
    const { inner, leaves, columns, inside } = size.get(id), at = this.places.get(id);
    let left = at.x - inside / 2;
    for (const kid of inner) {
      const width = size.get(kid).width;
      this.places.set(kid, { x: left + width / 2, y: at.y + LEVEL });
      left += width + GAP;
    }
    leaves.forEach((kid, place) => {
      this.places.set(kid, { x: left + (place % columns + 0.5) * CELL, y: at.y + LEVEL + Math.floor(place / columns) * CELL });
    });
    if (leaves.length) this.blocks.push({ id, x: left, y: at.y + LEVEL - CELL / 2, width: columns * CELL, height: Math.ceil(leaves.length / columns) * CELL });
  }

  // Drawing

  resize() {
    const ratio = window.devicePixelRatio || 1;
    this.canvas.width = Math.round(this.canvas.clientWidth * ratio);
    this.canvas.height = Math.round(this.canvas.clientHeight * ratio);
    if (this.fitted && this.box) this.fit();
    this.draw();
  }

  draw() {
    if (!this.waiting) this.waiting = requestAnimationFrame(() => { this.waiting = 0; this.paint(); });
  }

  paint() {
    const { pen, canvas, scale } = this, ratio = window.devicePixelRatio || 1;
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.clearRect(0, 0, canvas.width, canvas.height);
    pen.setTransform(ratio * scale, 0, 0, ratio * scale, ratio * this.x, ratio * this.y);
    this.paintBlocks();
    this.paintEdges();
    this.paintNodes();
    this.paintLabels();
  }

  paintBlocks() {
    const { pen } = this;
    for (const block of this.blocks) {
      const at = this.places.get(block.id);
      pen.strokeStyle = inks.line;
      pen.lineWidth = 1 / Math.min(1, this.scale);
      this.curve(at.x, at.y, block.x + block.width / 2, block.y);
      pen.fillStyle = inks.soft;
      pen.beginPath();
      pen.roundRect(block.x, block.y, block.width, block.height, 6);
      pen.fill();
    }
  }

  paintEdges() {
    const { pen, model } = this;
    for (const id of model.order) {
      const node = model.nodes.get(id), from = this.places.get(node.parent), to = this.places.get(id), best = model.path.has(id);
      if (!from || (!best && !model.kids.get(id).length)) continue;
      pen.strokeStyle = best ? inks.pass : inks.line;
      pen.lineWidth = (best ? 3 : 1 + 2 * (node.prior || 0)) / Math.min(1, this.scale);
      this.curve(from.x, from.y, to.x, to.y);
    }
  }

  curve(x0, y0, x1, y1) {
    const middle = (y0 + y1) / 2;
    this.pen.beginPath();
    this.pen.moveTo(x0, y0);
    this.pen.bezierCurveTo(x0, middle, x1, middle, x1, y1);
    this.pen.stroke();
  }

  // Circles of one colour are one path: that is what makes thousands of them cheap.
  paintNodes() {
    const { pen, model } = this, [groups, special] = [new Map(), []];
    for (const id of model.order) {
      const node = model.nodes.get(id), faint = model.hits && !model.hits.has(id);
      if (node.outcome === "passes" || node.outcome === "refused" || id === this.chosen) special.push([node, faint]);
      else {
        const key = `${faint ? 1 : 0}${inks.scale[bucket(node.value)]}`;
        groups.has(key) ? groups.get(key).push(node) : groups.set(key, [node]);
      }
    }
    for (const [key, nodes] of groups) {
      pen.globalAlpha = key[0] === "1" ? 0.18 : 1;
      pen.fillStyle = key.slice(1);
      pen.strokeStyle = inks.dim;
      pen.lineWidth = 0.5;
      pen.beginPath();
      for (const node of nodes) this.round(node);
      pen.fill();
      if (this.scale > 0.5) pen.stroke();
    }
    for (const [node, faint] of special) this.paintSpecial(node, faint);
    pen.globalAlpha = 1;
  }

  round(node) {
    const at = this.places.get(node.id), size = this.radius(node.id);
    this.pen.moveTo(at.x + size, at.y);
    this.pen.arc(at.x, at.y, size, 0, 7);
  }

  radius(id) {
    const visits = this.model.visits.get(id);
    return visits === 1 ? 5 : Math.min(14, 5.5 + 1.1 * Math.log2(visits));
  }

  paintSpecial(node, faint) {
    const { pen } = this, at = this.places.get(node.id), size = this.radius(node.id);
    pen.globalAlpha = faint ? 0.18 : 1;
    pen.beginPath();
    if (node.outcome === "passes") {
      const wide = size + 2;
      pen.moveTo(at.x, at.y - wide), pen.lineTo(at.x + wide, at.y), pen.lineTo(at.x, at.y + wide), pen.lineTo(at.x - wide, at.y), pen.closePath();
    } else if (node.outcome === "refused") {
      pen.moveTo(at.x - 4, at.y - 4), pen.lineTo(at.x + 4, at.y + 4), pen.moveTo(at.x + 4, at.y - 4), pen.lineTo(at.x - 4, at.y + 4);
    } else this.round(node);
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
    for (const id of this.scale > 0.55 ? model.path : []) {
      const at = this.places.get(id), node = model.nodes.get(id);
      if (at && model.order.length > 1) pen.fillText(`${node.value.toFixed(2)} · ${many(model.visits.get(id), "visit")}`, at.x + this.radius(id) + 7, at.y - 1);
    }
  }

  // Moving about

  fit() {
    const [x0, y0, x1, y1] = this.box, { clientWidth: width, clientHeight: height } = this.canvas;
    this.scale = Math.max(0.02, Math.min(1.5, (width - 60) / (x1 - x0 + 60), (height - 50) / (y1 - y0 + 30)));
    this.x = width / 2 - this.scale * (x0 + x1) / 2;
    this.y = height / 2 - this.scale * (y0 + y1) / 2;
    this.fitted = true;
    this.draw();
  }

  zoom(by, x = this.canvas.clientWidth / 2, y = this.canvas.clientHeight / 2) {
    const scale = Math.max(0.02, Math.min(6, this.scale * by)), real = scale / this.scale;
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
    const dx = event.clientX - this.drag.x, dy = event.clientY - this.drag.y;
    Object.assign(this.drag, { x: event.clientX, y: event.clientY, far: this.drag.far + Math.abs(dx) + Math.abs(dy) });
    if (this.drag.far > 4) Object.assign(this, { x: this.x + dx, y: this.y + dy, fitted: false });
    this.draw();
  }

  release(event) {
    const clicked = this.drag && this.drag.far <= 4, id = this.hit(event);
    this.drag = null;
    if (clicked && id !== null) this.choose(id);
  }

  hit(event) {
    const x = (event.offsetX - this.x) / this.scale, y = (event.offsetY - this.y) / this.scale, reach = 6 / this.scale;
    let found = null, nearest = Infinity;
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
    const node = this.model.nodes.get(id), prior = node.prior === null ? "" : ` · prior ${chance(node.prior)}`;
    fill(hint, `#${id} · value ${node.value.toFixed(2)} · ${many(this.model.visits.get(id), "visit")}${prior}`, h("br"), short(titled(node), 160));
    hint.style.left = `${Math.min(event.offsetX + 14, this.canvas.clientWidth - hint.offsetWidth - 8)}px`;
    hint.style.top = `${Math.min(event.offsetY + 14, this.canvas.clientHeight - hint.offsetHeight - 8)}px`;
  }

  // Bring a node into sight.
  show(id) {
    this.chosen = id;
    const at = this.places.get(id);
    if (at) {
      const x = at.x * this.scale + this.x, y = at.y * this.scale + this.y, { clientWidth: width, clientHeight: height } = this.canvas;
      if (x < 20 || x > width - 20) this.x += width / 2 - x;
      if (y < 20 || y > height - 20) this.y += height / 2 - y;
    }
    this.draw();
  }
}
