// The best value so far, and what was spent, attempt by attempt.

const WIDE = 1000,
  HIGH = 100,
  POINTS = 800;

class Timeline {
  constructor(box, words, model, choose) {
    Object.assign(this, { box, words, model, choose, rows: [] });
    box.setAttribute("viewBox", `0 -4 ${WIDE} ${HIGH + 8}`);
    box.addEventListener("click", (event) => {
      const share = (event.clientX - box.getBoundingClientRect().left) / box.clientWidth;
      const row = this.rows[Math.round(share * (this.rows.length - 1))];
      if (row) this.choose(row.id);
    });
  }

  layout() {
    const { model } = this,
      money_ = model.head.models.length > 0;
    let best = 0;
    this.rows = model.order
      .map((id) => model.nodes.get(id))
      .map((node) => ({ id: node.id, best: (best = Math.max(best, node.value)), spent: money_ ? node.paid : node.at }));
    const most = Math.max(1e-9, ...this.rows.slice(-1).map((row) => row.spent));
    const step = Math.max(1, Math.ceil(this.rows.length / POINTS)),
      rows = this.rows.filter((_, place) => place % step === 0 || place === this.rows.length - 1);
    const x = (place) => (this.rows.length > 1 ? (WIDE * Math.min(place * step, this.rows.length - 1)) / (this.rows.length - 1) : WIDE);
    const stairs = rows.map((row, place) => `${place ? `H${x(place)}` : "M0 "}${place ? "V" : ""}${HIGH * (1 - row.best)}`).join("");
    const spend = rows.map((row, place) => `${place ? "L" : "M"}${x(place)} ${HIGH * (1 - row.spent / most)}`).join("");
    const grid = [0, 0.5, 1].map((value) =>
      svg("line", { class: "grid", x1: 0, x2: WIDE, y1: HIGH * (1 - value), y2: HIGH * (1 - value) }),
    );
    const first = this.rows.findIndex((row) => model.nodes.get(row.id).solved);
    const solved =
      first < 0
        ? null
        : svg("line", {
            class: "now",
            x1: (WIDE * first) / Math.max(1, this.rows.length - 1),
            x2: (WIDE * first) / Math.max(1, this.rows.length - 1),
            y1: -2,
            y2: HIGH + 2,
          });
    fill(this.box, grid, svg("path", { class: "spend", d: spend }), svg("path", { class: "best", d: stairs }), solved);
    this.tell(best, most, money_, first);
  }

  tell(best, most, money_, first) {
    const spent = money_ ? money(most) : duration(most),
      passed = first < 0 ? "nothing passed" : `attempt ${first} was the first that passes`;
    const attempts = many(Math.max(0, this.rows.length - 1), "attempt");
    this.box.setAttribute("aria-label", `The best value rises to ${best.toFixed(2)} in ${attempts}; ${passed}; ${spent} were spent.`);
    fill(
      this.words,
      h("span", { class: "key" }, h("i", { class: "swatch" }), `best value, up to ${best.toFixed(2)}`),
      h("span", { class: "key" }, h("i", { class: "swatch spend" }), `${money_ ? "money" : "time"} spent, ${spent} in all`),
      h("span", {}, `${attempts}, left to right; ${passed}`),
    );
  }
}
