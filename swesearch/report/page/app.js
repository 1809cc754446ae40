// The page: fill it from the story, keep it up to date, and lead the keyboard about.

const STATES = {
  solved: "fixed", budget: "budget used up", exhausted: "nothing left to try", interrupted: "interrupted", sandbox: "the sandbox failed", model: "the provider failed",
  abandoned: "given up", abstained: "not certain enough", unreproduced: "not reproduced", usage: "could not begin", check: "check unusable", passes: "nothing to repair",
  unfinished: "unfinished",
};

class Page {
  constructor(story, live) {
    this.live = live;
    this.model = new Model(story);
    const choose = (id) => this.choose(id);
    readColours();
    this.map = new TreeMap($("map"), this.model, choose);
    this.outline = new Outline($("outline"), this.model, choose);
    this.details = new Details($("details"), this.model, choose, live && live.changes);
    this.timeline = new Timeline($("timeline"), $("timeline-words"), this.model, choose);
    this.chosen = null;
    this.take(story, story.nodes);
    this.choose(this.model.last ?? 0);
    this.listen();
    if (live) this.follow();
  }

  take(head, rows) {
    this.model.take(head, rows);
    if (this.query) this.model.find(this.query);
    this.head();
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

  // The story, in words

  head() {
    const { head } = this.model, name = head.repo.split("/").filter(Boolean).pop() || "a repository", best = head.finalists.find((each) => each.chosen);
    document.title = `${name}: ${this.state()}`;
    $("where").textContent = `${name} · ${head.run}`;
    fill($("state"), this.running() ? `running: ${head.phase || "begins"}` : STATES[head.state] || head.state);
    $("state").className = `state ${this.running() ? "running" : head.state === "solved" ? "solved" : "lost"}`;
    $("kicker").textContent = [name, head.started ? new Date(head.started * 1000).toLocaleString() : "", head.strategy, head.models.join(", ") || "no model", head.forked ? `forked from n${head.forked.node} of ${head.forked.run}` : ""].filter(Boolean).join(" · ");
    $("headline").textContent = best ? upper(best.why || "Fixed") : this.running() ? "The search is under way" : upper(`no fix: ${STATES[head.state] || head.state}`);
    $("lead").textContent = this.lead(best);
    fill($("warnings"), head.warnings.map((text) => h("p", { class: "note" }, text)), head.error ? h("p", { class: "note" }, head.error) : null);
    this.words(head.account);
    const patch = best || head.finalists[0];
    fill($("patch"), patch ? [h("div", { class: "caption" }, best ? "The patch that was handed over" : "The best that passed, not handed over"), diffOf(patch.patch)] : null);
    this.others();
    this.talk();
    const { order, path } = this.model;
    $("counts").textContent = `${many(order.length, "state")}; the best path has ${many(Math.max(0, path.size - 1), "step")}. The size of a mark says how often the search went through it.`;
    $("made").textContent = `swesearch ${head.swesearch}, seed ${head.seed}`;
  }

  running() {
    return Boolean(this.live) && this.model.head.running;
  }

  state() {
    return this.running() ? "running" : STATES[this.model.head.state] || this.model.head.state;
  }

  lead(best) {
    const { cost, solution } = this.model.head, spent = this.model.head.models.length ? `, ${money(cost.dollars)}` : "";
    const words = `${many(cost.evaluations, "evaluation")}, ${duration(cost.seconds)}${spent}.`;
    if (best) return `Verified afresh${solution && solution.confidence !== null && !this.model.head.picked ? `, right with an estimated chance of ${Math.round(100 * solution.confidence)} %` : ""}. ${words}`;
    return solution && solution.why ? `${upper(solution.why)}. ${words}` : words;
  }

  words(account) {
    const line = (text) => h("p", { class: /^\S+::\S.*: |^\S*test\S*::/.test(text) ? "quote" : null }, ticked(text));
    const section = (each) => h("div", {}, h("h2", {}, each.title), each.lines.map(line));
    const beside = ["What else was tried", "What it cost"]; // the patch leaves room below it
    fill($("words"), account.filter((each) => !beside.includes(each.title)).map(section));
    fill($("rest"), account.filter((each) => beside.includes(each.title)).map(section));
  }

  // Finalists, and the nearest of what was dropped: one for each reason.
  others() {
    const { head, nodes, order } = this.model, near = [];
    const dropped = order.map((id) => nodes.get(id)).filter((node) => ["breaking", "partial", "unclean", "failing"].includes(node.outcome) && !this.model.path.has(node.id));
    for (const outcome of ["breaking", "partial", "unclean", "failing"]) {
      const best = dropped.filter((node) => node.outcome === outcome).sort((a, b) => b.value - a.value || b.terms.length - a.terms.length || a.id - b.id)[0];
      if (best && near.length + head.finalists.length < 4) near.push(best);
    }
    const word = (each) => (each.chosen ? (head.picked ? "picked" : "handed over") : each.verified ? "passed too" : "did not hold");
    const finalists = head.finalists.map((each) => this.card(each.node, each.why, word(each), each.reasons, each.patch, each.letter, each.chosen));
    const rejected = near.map((node) => this.card(node.id, titled(node), BECAME[node.outcome], node.terms.filter((term) => term.feedback).map((term) => short(term.feedback, 300)), node.base_diff || node.diff, "", false));
    fill($("cards"), finalists, rejected);
    $("others").hidden = !$("cards").children.length;
  }

  card(id, why, word, reasons, patch, letter, chosen) {
    const link = id === null || id === undefined ? null : h("button", { type: "button", onclick: () => { this.choose(id); $("search").scrollIntoView(); } }, `n${id}`);
    return h("article", { class: `panel card${chosen ? " chosen" : ""}` }, h("div", { class: "caption" }, letter ? h("span", { class: "letter" }, letter) : null, h("span", { class: `badge${chosen ? " passes" : ""}` }, word), h("span", { class: "grow" }), link),
      h("h3", {}, upper(why || "A candidate")), reasons.length ? h("ul", {}, reasons.map((reason) => h("li", {}, ticked(reason)))) : null, patch ? diffOf(patch) : null);
  }

  talk() {
    const { messages } = this.model.head;
    $("talk").hidden = !messages.length;
    if ($("said").children.length !== messages.length) fill($("said"), messages.map(messageOf));
  }

  // Keyboard, search, theme

  listen() {
    const press = { nearer: () => this.map.zoom(1.4), farther: () => this.map.zoom(1 / 1.4), fit: () => this.map.fit(), best: () => this.choose(this.model.last ?? 0), theme: () => this.theme() };
    for (const [id, action] of Object.entries(press)) $(id).addEventListener("click", action);
    let waiting = 0;
    $("find").addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(() => this.search($("find").value), 120); });
    $("find").addEventListener("keydown", (event) => { if (event.key === "Enter") { this.search($("find").value); $("outline").focus(); } });
    const keys = { "/": () => $("find").focus(), b: press.best, t: press.theme, d: () => $("details").focus(), "+": press.nearer, "=": press.nearer, "-": press.farther, 0: press.fit };
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && document.activeElement === $("find")) { $("find").value = ""; this.search(""); $("outline").focus(); }
      if (/^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName) || event.ctrlKey || event.metaKey || event.altKey || !keys[event.key]) return;
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
    $("counts").textContent = hits ? `${many(hits.size, "state")} of ${order.length.toLocaleString("en")} found` : `${many(order.length, "state")}`;
    if (hits && hits.size && !hits.has(this.chosen)) this.choose(order.find((id) => hits.has(id)));
  }

  theme() {
    const root = document.documentElement, dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
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
    fill($("legend"), h("span", { class: "key" }, "value 0", h("i", { class: "scale" }), "1"), key({ outcome: "passes", value: 1 }, "passes"), key({ outcome: "refused", value: 0 }, "could not be carried out"),
      h("span", { class: "key" }, svg("svg", { viewBox: "0 0 14 14", "aria-hidden": "true" }, svg("path", { d: "M1 12C7 12 7 2 13 2", fill: "none", stroke: inks.pass, "stroke-width": 2.4 })), "best path"));
  }

  // Live: the server sends the head and the nodes that are new or have changed.
  follow() {
    const source = new EventSource(this.live.events);
    source.addEventListener("story", (event) => {
      const { head, nodes } = JSON.parse(event.data);
      this.take(head, nodes);
      this.steering.show();
    });
    source.addEventListener("trouble", (event) => { fill($("warnings"), h("p", { class: "note" }, JSON.parse(event.data))); source.close(); });
    this.steering = new Steering(this);
  }
}

const data = JSON.parse($("story").textContent);
if (data.live) { $("home").href = data.live.home; }
window.page = new Page(data.story, data.live);
