// The page: fill it from the story, keep it up to date, and lead the keyboard about.

class Page {
  constructor(story, live) {
    this.live = live;
    this.model = new Model(story);
    const choose = (id) => this.choose(id);
    readColours();
    this.map = new TreeMap($("map"), this.model, choose);
    this.outline = new Outline($("outline"), this.model, choose);
    this.details = new Details($("details"), this.model, choose, live && live.changes);
    this.account = new Account(this.model, choose);
    this.timeline = new Timeline($("timeline"), $("timeline-words"), this.model, choose);
    this.chosen = null;
    this.take(story, story.nodes);
    this.choose(this.model.last ?? 0);
    this.listen();
    if (live) this.follow();
  }

  take(head, rows) {
    this.model.take({ ...head, live: Boolean(this.live) }, rows); // a file cannot know whether its run goes on
    if (this.query) this.model.find(this.query);
    this.account.show();
    this.layout();
    const known = this.model.nodes.has(this.chosen);
    if (known && rows.some((row) => row.id === this.chosen)) this.details.show(this.chosen);
    if (!known && this.model.order.length) this.choose(this.model.last);
  }

  layout() {
    this.map.layout();
    this.outline.layout();
    this.timeline.layout();
  }

  choose(id) {
    this.chosen = id;
    this.outline.show(id);
    this.map.show(id);
    this.details.show(id);
  }

  // Keyboard, search, theme

  listen() {
    const press = {
      nearer: () => this.map.zoom(1.4),
      farther: () => this.map.zoom(1 / 1.4),
      fit: () => this.map.fit(),
      best: () => this.choose(this.model.last ?? 0),
      theme: () => this.theme(),
    };
    for (const [id, action] of Object.entries(press)) $(id).addEventListener("click", action);
    let waiting = 0;
    $("find").addEventListener("input", () => {
      clearTimeout(waiting);
      waiting = setTimeout(() => this.search($("find").value), 120);
    });
    $("find").addEventListener("keydown", (event) => {
      if (event.key === "Enter") {
        this.search($("find").value);
        $("outline").focus();
      }
    });
    const keys = {
      "/": () => $("find").focus(),
      b: press.best,
      t: press.theme,
      d: () => $("details").focus(),
      "+": press.nearer,
      "=": press.nearer,
      "-": press.farther,
      0: press.fit,
    };
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && document.activeElement === $("find")) {
        $("find").value = "";
        this.search("");
        $("outline").focus();
      }
      if (/^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName) || event.ctrlKey || event.metaKey || event.altKey || !keys[event.key])
        return;
      event.preventDefault();
      keys[event.key]();
    });
    $("map").addEventListener("keydown", (event) => this.outline.key(event));
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.recolour());
    this.recolour();
  }

  search(query) {
    this.query = query;
    this.model.find(query);
    const { hits, order } = this.model;
    this.outline.layout();
    this.map.draw();
    $("counts").textContent = hits
      ? `${many(hits.size, "state")} of ${order.length.toLocaleString("en")} found`
      : `${many(order.length, "state")}`;
    if (hits && hits.size && !hits.has(this.chosen)) this.choose(order.find((id) => hits.has(id)));
  }

  theme() {
    const root = document.documentElement,
      dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    this.recolour();
  }

  recolour() {
    readColours();
    this.legend();
    this.map.draw();
    this.outline.render();
  }

  legend() {
    const key = (node, words) => h("span", { class: "key" }, mark(node), words);
    fill(
      $("legend"),
      h("span", { class: "key" }, "value 0", h("i", { class: "scale" }), "1"),
      key({ outcome: "passes", value: 1 }, "passes"),
      key({ outcome: "refused", value: 0 }, "could not be carried out"),
      h(
        "span",
        { class: "key" },
        svg(
          "svg",
          { viewBox: "0 0 14 14", "aria-hidden": "true" },
          svg("path", { d: "M1 12C7 12 7 2 13 2", fill: "none", stroke: inks.pass, "stroke-width": 2.4 }),
        ),
        "best path",
      ),
    );
  }

  // Live: the server sends the head and the nodes that are new or have changed.
  follow() {
    const source = new EventSource(this.live.events);
    source.addEventListener("story", (event) => {
      const { head, nodes } = JSON.parse(event.data);
      this.take(head, nodes);
      this.steering.show();
    });
    source.addEventListener("trouble", (event) => {
      fill($("trouble"), h("p", { class: "note" }, JSON.parse(event.data)));
      source.close();
    });
    this.steering = new Steering(this);
  }
}

const data = JSON.parse($("story").textContent);
if (data.live) {
  $("home").href = data.live.home;
}
window.page = new Page(data.story, data.live);
