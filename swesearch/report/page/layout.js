// Where every node of a tree stands. Each has a box: itself at the top, its children's boxes below it on as many shelves as make that
// about as wide as high. Children that nothing was built upon stand together in a block, in the order in which they were tried.
// No recursion: a path may be thousands of steps long.

const CELL = 16,
  GAP = 22,
  LEVEL = 58;

class Layout {
  constructor(model) {
    Object.assign(this, { model, places: new Map(), blocks: [], edges: [[], [], [], []] });
    const boxes = new Map(),
      corners = new Map();
    for (let k = model.order.length - 1; k >= 0; k--) boxes.set(model.order[k], this.boxOf(model.order[k], boxes));
    let left = 0;
    for (const root of model.roots) {
      corners.set(root, [left, 0]);
      left += boxes.get(root).width + GAP;
    }
    for (const id of model.order) if (corners.has(id)) this.open(id, boxes.get(id), corners.get(id), corners);
    this.look();
    this.width = Math.max(0, left - GAP);
    this.height = Math.max(0, ...model.roots.map((root) => boxes.get(root).height));
  }

  // What is drawn again and again: how each mark looks, and the edges by their width.
  look() {
    const { model } = this;
    for (const [id, at] of this.places) {
      const node = model.nodes.get(id),
        visits = model.visits.get(id),
        best = model.path.has(id),
        from = this.places.get(node.parent);
      const size = visits === 1 ? 5 : Math.min(14, 5.5 + 1.1 * Math.log2(visits));
      Object.assign(at, { node, size, colour: bucket(node.value), special: ["passes", "refused"].includes(node.outcome) });
      if (from && (best || model.kids.get(id).length))
        this.edges[best ? 3 : Math.min(2, Math.floor(3 * (node.prior || 0)))].push([from, at]);
    }
  }

  boxOf(id, boxes) {
    const { model } = this,
      kids = model.kids.get(id),
      inner = [],
      leaves = [];
    for (const kid of kids) (model.kids.get(kid).length || model.path.has(kid) ? inner : leaves).push(kid);
    const columns = Math.min(leaves.length, Math.max(4, Math.ceil(Math.sqrt(leaves.length * 2.6))));
    const parts = inner.map((kid) => ({ kid, width: boxes.get(kid).width, height: boxes.get(kid).height }));
    if (leaves.length) parts.push({ leaves, columns, width: columns * CELL, height: Math.ceil(leaves.length / columns) * CELL });
    return { parts, ...this.shelve(parts) };
  }

  // Put boxes on shelves, each knowing its corner from the top left of the first shelf.
  shelve(parts) {
    const area = parts.reduce((sum, part) => sum + (part.width + GAP) * (part.height + GAP), 0);
    const limit = Math.max(600, 1.5 * Math.sqrt(area), ...parts.map((part) => part.width)),
      whole = parts.reduce((sum, part) => sum + part.width + GAP, -GAP);
    if (whole > limit) parts.sort((one, other) => other.height - one.height);
    let [x, y, width, shelf] = [0, LEVEL, 0, 0];
    for (const part of parts) {
      if (x && x + part.width > limit) [x, y, shelf] = [0, y + shelf + GAP, 0];
      [part.x, part.y] = [x, y];
      x += part.width + GAP;
      width = Math.max(width, x - GAP);
      shelf = Math.max(shelf, part.height);
    }
    return { width: Math.max(2 * CELL, width), height: parts.length ? y + shelf : 2 * CELL };
  }

  open(id, box, [left, top], corners) {
    this.places.set(id, { x: left + box.width / 2, y: top + CELL });
    const inset = (box.width - Math.max(...box.parts.map((part) => part.x + part.width))) / 2; // less than what the box is wide at least
    for (const part of box.parts) {
      const x = left + part.x + inset,
        y = top + part.y;
      if (part.kid !== undefined) corners.set(part.kid, [x, y]);
      else {
        this.blocks.push({ id, x, y, width: part.width, height: part.height });
        part.leaves.forEach((kid, place) =>
          this.places.set(kid, { x: x + ((place % part.columns) + 0.5) * CELL, y: y + (Math.floor(place / part.columns) + 0.5) * CELL }),
        );
      }
    }
  }
}
