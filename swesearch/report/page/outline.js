// The same tree as a list, for the keyboard and for screen readers (ARIA tree). Only the rows in sight are in the document.

const ROW = 28,
  OPEN = 300; // pixels; up to so many nodes all are shown from the beginning

class Outline {
  constructor(box, model, choose) {
    Object.assign(this, {
      box,
      model,
      choose,
      inner: box.firstElementChild,
      opened: new Set(),
      touched: new Set(),
      rows: [],
      chosen: null,
    });
    box.addEventListener("scroll", () => this.render());
    box.addEventListener("keydown", (event) => this.key(event));
    box.addEventListener("click", (event) => this.click(event));
    new ResizeObserver(() => this.render()).observe(box);
  }

  isOpen(id) {
    if (this.touched.has(id)) return this.opened.has(id);
    const { model } = this;
    return (
      model.order.length <= OPEN ||
      model.nodes.get(id).parent === null ||
      model.path.has(id) ||
      (model.hits !== null && model.hits.size <= OPEN)
    );
  }

  layout() {
    const { model } = this,
      wanted = this.wanted();
    this.rows = [];
    const waiting = [this.siblings(model.roots, wanted, 1)];
    while (waiting.length) {
      // no recursion: a path may be thousands of steps long
      const level = waiting[waiting.length - 1],
        row = level.shift();
      if (!row) waiting.pop();
      else {
        this.rows.push(row);
        if (this.isOpen(row.id)) waiting.push(this.siblings(model.sorted(row.id), wanted, row.level + 1));
      }
    }
    this.inner.style.height = `${this.rows.length * ROW}px`;
    this.render();
  }

  siblings(ids, wanted, level) {
    const shown = ids.filter((id) => !wanted || wanted.has(id));
    return shown.map((id, place) => ({ id, level, place: place + 1, of: shown.length }));
  }

  // While searching: what was found, and what leads there.
  wanted() {
    const { model } = this;
    if (!model.hits) return null;
    const wanted = new Set();
    for (const hit of model.hits)
      for (let at = hit; model.nodes.has(at) && !wanted.has(at); at = model.nodes.get(at).parent) wanted.add(at);
    return wanted;
  }

  render() {
    const first = Math.max(0, Math.floor(this.box.scrollTop / ROW) - 8),
      last = first + Math.ceil(this.box.clientHeight / ROW) + 16;
    fill(
      this.inner,
      this.rows.length
        ? this.rows.slice(first, last).map((row, place) => this.row(row, first + place))
        : h("p", { class: "empty" }, this.model.hits ? "No state has these words." : "No state was evaluated."),
    );
    const active = this.chosen !== null && $(`n${this.chosen}`) ? `n${this.chosen}` : "";
    active ? this.box.setAttribute("aria-activedescendant", active) : this.box.removeAttribute("aria-activedescendant");
  }

  row({ id, level, place, of }, at) {
    const { model } = this,
      node = model.nodes.get(id),
      inner = model.kids.get(id).length > 0,
      visits = model.visits.get(id);
    const best = model.path.has(id) ? ", on the best path" : "";
    const label = `${titled(node)}. ${upper(BECAME[node.outcome])}, value ${node.value.toFixed(2)}, ${many(visits, "visit")}${best}`;
    const row = h(
      "div",
      {
        class: `row${model.path.has(id) ? " path" : ""}${node.closed || node.outcome === "refused" ? " dead" : ""}`,
        id: `n${id}`,
        role: "treeitem",
        "aria-level": level,
        "aria-posinset": place,
        "aria-setsize": of,
        "aria-selected": String(id === this.chosen),
        "aria-expanded": inner ? String(this.isOpen(id)) : null,
        "aria-label": label,
        "data-node": id,
      },
      h(
        "span",
        { class: "what" },
        h("span", { class: "twist" }, inner ? (this.isOpen(id) ? "▾" : "▸") : ""),
        mark(node),
        h("span", { class: "words", title: titled(node) }, titled(node)),
      ),
      h("span", {}, node.value.toFixed(2)),
      h("span", {}, String(visits)),
      h("span", {}, chance(node.prior)),
    );
    row.style.top = `${at * ROW}px`;
    row.querySelector(".what").style.paddingLeft = `${Math.min(level - 1, 12) * 14}px`;
    return row;
  }

  click(event) {
    const row = event.target.closest("[data-node]");
    if (!row) return;
    const id = Number(row.dataset.node);
    if (event.target.classList.contains("twist")) this.toggle(id, !this.isOpen(id));
    this.choose(id);
  }

  toggle(id, open) {
    this.touched.add(id);
    open ? this.opened.add(id) : this.opened.delete(id);
    this.layout();
  }

  key(event) {
    const at = this.rows.findIndex((row) => row.id === this.chosen),
      id = this.chosen,
      node = this.model.nodes.get(id);
    const go = (place) => this.rows.length && this.choose(this.rows[Math.max(0, Math.min(this.rows.length - 1, place))].id);
    const page = Math.floor(this.box.clientHeight / ROW) - 1;
    const steps = {
      ArrowDown: () => go(at + 1),
      ArrowUp: () => go(at - 1),
      Home: () => go(0),
      End: () => go(this.rows.length - 1),
      PageDown: () => go(at + page),
      PageUp: () => go(at - page),
      ArrowRight: () => node && this.model.kids.get(id).length && (this.isOpen(id) ? go(at + 1) : this.toggle(id, true)),
      ArrowLeft: () =>
        node &&
        (this.isOpen(id) && this.model.kids.get(id).length ? this.toggle(id, false) : node.parent !== null && this.choose(node.parent)),
      Enter: () => $("details").focus(),
      " ": () => node && this.toggle(id, !this.isOpen(id)),
    };
    if (!steps[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    steps[event.key]();
  }

  // Mark a node, opening what leads there, and bring it into sight within the list.
  show(id) {
    this.chosen = id;
    const closed = this.model
      .trail(id)
      .slice(0, -1)
      .filter((above) => !this.isOpen(above));
    for (const above of closed) (this.touched.add(above), this.opened.add(above));
    if (closed.length) this.layout();
    const top = this.rows.findIndex((row) => row.id === id) * ROW;
    if (top >= 0 && (top < this.box.scrollTop || top + ROW > this.box.scrollTop + this.box.clientHeight))
      this.box.scrollTop = top - this.box.clientHeight / 2;
    this.render();
  }
}
