// Orders to a search that is under way. What comes of each is in the journal, and comes back with the story.

class Steering {
  constructor(page) {
    this.page = page;
    this.amount = h("input", { type: "number", min: "1", step: "any", placeholder: "more", "aria-label": "How much more", id: "amount" });
    this.unit = h(
      "select",
      { "aria-label": "Of what" },
      ["evaluations", "seconds", "dollars", "tokens"].map((unit) => h("option", {}, unit)),
    );
    this.hint = h("input", {
      type: "text",
      maxlength: "2000",
      placeholder: "A hint for the chosen state …",
      "aria-label": "A hint for the chosen state",
      id: "hint-text",
    });
    this.said = h("p", { class: "dim", role: "status", id: "said-of-it" });
    const press = (words, action, id) => h("button", { type: "button", id, onclick: action }, words);
    this.pause = press("Pause", () => this.send({ order: this.page.model.head.paused ? "continue" : "pause" }), "pause");
    fill(
      $("steer"),
      h(
        "div",
        { class: "panel steer" },
        this.pause,
        press("Stop", () => this.send({ order: "stop" }), "stop"),
        h(
          "span",
          { class: "group" },
          this.amount,
          this.unit,
          press("Add", () => this.add(), "add"),
        ),
        h(
          "span",
          { class: "group grow" },
          this.hint,
          press("Hint", () => this.send({ order: "hint", node: this.page.chosen, text: this.hint.value }), "give"),
        ),
        press("Prune the chosen state", () => this.send({ order: "prune", node: this.page.chosen }), "prune"),
        this.said,
      ),
    );
    this.show();
  }

  show() {
    const { head } = this.page.model;
    $("steer").hidden = !head.running;
    this.pause.textContent = head.paused ? "Go on" : "Pause";
    const last = head.orders[head.orders.length - 1];
    if (last) this.said.textContent = `${upper(last.order)}${last.node === null ? "" : ` n${last.node}`}: ${last.effect}`;
  }

  add() {
    const more = Number(this.amount.value);
    if (more > 0) this.send({ order: "add", more: { [this.unit.value]: more } });
  }

  async send(order) {
    this.said.textContent = "sent …";
    const answer = await fetch(this.page.live.steer, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(order),
    }).catch(() => null);
    this.said.textContent = answer ? await answer.text() : "the server does not answer";
    if (answer && answer.ok && order.order === "hint") this.hint.value = "";
  }
}
