// The story in words: what the page begins with, and the candidates side by side.

const STATES = {
  solved: "fixed",
  budget: "budget used up",
  exhausted: "nothing left to try",
  interrupted: "interrupted",
  sandbox: "the sandbox failed",
  model: "the provider failed",
  abandoned: "given up",
  abstained: "not certain enough",
  unreproduced: "not reproduced",
  usage: "could not begin",
  check: "check unusable",
  passes: "nothing to repair",
  unfinished: "unfinished",
};

const DROPPED = ["breaking", "partial", "unclean", "failing"]; // the nearest first
const BESIDE = ["What else was tried", "What it cost"]; // sections that stand below the patch
const CARDS = 4;

class Account {
  constructor(model, choose) {
    Object.assign(this, { model, choose });
  }

  show() {
    const { head } = this.model,
      best = head.finalists.find((each) => each.chosen);
    this.top(head, best);
    this.words(head.account);
    this.patch(best || head.finalists[0], best);
    const note = (text) => h("p", { class: "note" }, text);
    fill($("trouble"), head.error ? note(head.error) : null);
    fill($("warnings"), head.warnings.map(note));
    fill(
      $("cards"),
      this.finalists(head),
      this.near(head).map((node) => this.rejected(node)),
    );
    $("others").hidden = !$("cards").children.length;
    this.talk(head.messages);
    this.counts();
  }

  top(head, best) {
    const name = head.repo.split("/").filter(Boolean).pop() || "a repository",
      state = STATES[head.state] || head.state,
      running = head.running && head.live;
    document.title = `${name}: ${running ? "running" : state}`;
    $("where").textContent = `${name} · ${head.run}`;
    $("state").textContent = running ? (head.paused ? "paused" : `running: ${head.phase || "begins"}`) : state;
    $("state").className = `state ${running ? "running" : head.state === "solved" ? "solved" : "lost"}`;
    $("kicker").textContent = this.facts(head, name);
    const found = best ? best.why || "fixed" : running ? "the search is under way" : `no fix: ${state}`;
    $("headline").textContent = upper(found);
    $("lead").textContent = this.lead(head, best);
    $("made").textContent = `swesearch ${head.swesearch}, seed ${head.seed}`;
  }

  facts(head, name) {
    const began = head.started ? new Date(head.started * 1000).toLocaleString() : "",
      forked = head.forked ? `forked from n${head.forked.node} of ${head.forked.run}` : "";
    return [name, began, head.strategy, head.models.join(", ") || "no model", forked].filter(Boolean).join(" · ");
  }

  lead({ cost, solution, models, picked }, best) {
    const used = `${many(cost.evaluations, "evaluation")}, ${duration(cost.seconds)}${models.length ? `, ${money(cost.dollars)}` : ""}.`;
    if (!best) return solution && solution.why ? `${upper(solution.why)}. ${used}` : used;
    if (!solution || solution.confidence === null || picked) return `Verified afresh. ${used}`;
    return `Verified afresh, right with an estimated chance of ${Math.round(100 * solution.confidence)} %. ${used}`;
  }

  words(account) {
    const line = (text) => h("p", { class: /^\S+::\S.*: |^\S*test\S*::/.test(text) ? "quote" : null }, ticked(text));
    const section = (each) => h("div", {}, h("h2", {}, each.title), each.lines.map(line));
    const beside = (each) => BESIDE.includes(each.title);
    fill($("words"), account.filter((each) => !beside(each)).map(section));
    fill($("rest"), account.filter(beside).map(section));
  }

  patch(shown, best) {
    const caption = best ? "The patch that was handed over" : "The best that passed, not handed over";
    fill($("patch"), shown ? [h("div", { class: "caption" }, caption), diffOf(shown.patch)] : null);
  }

  counts() {
    const { order, path } = this.model;
    const steps = `the best path has ${many(Math.max(0, path.size - 1), "step")}`;
    $("counts").textContent = `${many(order.length, "state")}; ${steps}. The size of a mark says how often the search went through it.`;
  }

  finalists(head) {
    const word = (each) => (each.chosen ? (head.picked ? "picked" : "handed over") : each.verified ? "passed too" : "did not hold");
    return head.finalists.map((each) => this.card({ ...each, id: each.node, word: word(each) }));
  }

  // The nearest of what was dropped: one for each reason.
  near(head) {
    const { nodes, order, path } = this.model,
      dropped = order.map((id) => nodes.get(id)).filter((node) => !path.has(node.id));
    const nearer = (a, b) => b.value - a.value || b.terms.length - a.terms.length || a.id - b.id;
    const best = DROPPED.map((outcome) => dropped.filter((node) => node.outcome === outcome).sort(nearer)[0]);
    return best.filter(Boolean).slice(0, Math.max(0, CARDS - head.finalists.length));
  }

  rejected(node) {
    const said = node.terms.filter((term) => term.feedback).map((term) => short(term.feedback, 300));
    return this.card({
      ...{ id: node.id, why: titled(node), word: BECAME[node.outcome], reasons: said },
      ...{ patch: node.base_diff || node.diff, letter: "", chosen: false },
    });
  }

  card({ id, why, word, reasons, patch, letter, chosen }) {
    const go = () => {
      this.choose(id);
      $("search").scrollIntoView();
    };
    const caption = [
      letter ? h("span", { class: "letter" }, letter) : null,
      h("span", { class: `badge${chosen ? " passes" : ""}` }, word),
      h("span", { class: "grow" }),
      Number.isInteger(id) ? h("button", { type: "button", onclick: go }, `n${id}`) : null,
    ];
    const told = reasons.map((reason) => h("li", {}, ticked(reason)));
    return h(
      "article",
      { class: `panel card${chosen ? " chosen" : ""}` },
      h("div", { class: "caption" }, caption),
      h("h3", {}, upper(why || "A candidate")),
      told.length ? h("ul", {}, told) : null,
      patch ? diffOf(patch) : null,
    );
  }

  talk(messages) {
    $("talk").hidden = !messages.length;
    if ($("said").children.length !== messages.length) fill($("said"), messages.map(messageOf));
  }
}
