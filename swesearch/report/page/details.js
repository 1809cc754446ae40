// One state in full: its hypothesis, change, tests, judgement, messages, cost.

// A unified diff, one element a line.
function diffOf(text) {
  const kind = (line) => {
    if (/^(diff |index |--- |\+\+\+ |new file|deleted file|old mode|new mode|rename |similarity |\\ )/.test(line))
      return /^\+\+\+ |^\\ /.test(line) ? "file" : "hidden";
    return { "+": "add", "-": "del", "@": "hunk" }[line[0]] || "ctx";
  };
  const rows = text.replace(/\n$/, "").split("\n");
  const shown = rows.map((line, place) => {
    const name = kind(line),
      gone = line === "+++ /dev/null";
    if (name === "hidden") return null;
    if (name !== "file") return h("div", { class: `l ${name}` }, line || " ");
    return h(
      "div",
      { class: "l file" },
      gone ? `${(rows[place - 1] || "").replace(/^--- (a\/)?/, "")} (removed)` : line.replace(/^\+\+\+ (b\/)?/, ""),
    );
  });
  return h("div", { class: "diff", tabindex: "0", role: "region", "aria-label": "Change" }, h("div", { class: "body" }, shown));
}

const titledPart = (title, ...content) => [h("h4", {}, title), ...content];

class Details {
  constructor(box, model, choose, changes) {
    Object.assign(this, { box, model, choose, changes, against: "parent", id: null });
  }

  // A page that follows a run asks for the change of a node when somebody looks at it.
  async exact(node) {
    if (!this.changes || node.exact || node.parent === null) return;
    node.exact = true;
    const answer = await fetch(`${this.changes}?node=${node.id}`).catch(() => null); // without an answer the edits are shown
    if (!answer || !answer.ok) return;
    Object.assign(node, await answer.json());
    if (this.id === node.id) this.show(node.id);
  }

  show(id) {
    this.box.scrollTop = this.id === id ? this.box.scrollTop : 0;
    this.id = id;
    const node = this.model.nodes.get(id);
    fill(this.box, node ? this.parts(node) : h("p", { class: "dim" }, "Choose a state in the map or in the list."));
    if (node) this.exact(node);
  }

  parts(node) {
    return [
      this.trail(node),
      h("h3", {}, titled(node)),
      this.badges(node),
      this.facts(node),
      this.change(node),
      this.tests(node),
      this.terms(node),
      this.judge(node),
      node.feedback ? titledPart("Feedback", h("div", { class: "said" }, node.feedback)) : null,
      node.messages ? titledPart(`Messages (${node.messages.length})`, node.messages.map(messageOf)) : null,
      titledPart("In git", h("p", { class: "mono dim" }, node.tree)),
    ];
  }

  trail(node) {
    const above = this.model.trail(node.id),
      shown = above.length > 7 ? [...above.slice(0, 2), null, ...above.slice(-4)] : above;
    const step = (id) =>
      id === null
        ? "…"
        : id === node.id
          ? h("b", {}, `n${id}`)
          : h("button", { type: "button", onclick: () => this.choose(id), title: titled(this.model.nodes.get(id)) }, `n${id}`);
    return h(
      "nav",
      { class: "trail", "aria-label": "Way from the root" },
      shown.map((id, place) => [place ? "›" : null, step(id)]),
    );
  }

  badges(node) {
    const marks = [h("span", { class: `badge ${node.outcome}` }, BECAME[node.outcome])];
    if (this.model.path.has(node.id)) marks.push(h("span", { class: "badge passes" }, "on the best path"));
    if (node.duplicate) marks.push(h("span", { class: "badge" }, "seen before"));
    if (node.closed) marks.push(h("span", { class: "badge" }, "not built upon"));
    for (const each of node.marks || []) marks.push(h("span", { class: "badge" }, each));
    return h("div", { class: "badges" }, marks);
  }

  facts(node) {
    const fact = (name, value) => (value === "" || value === null ? null : h("div", {}, h("dt", {}, name), h("dd", {}, value)));
    const paid = this.model.head.models.length ? money(node.paid) : "",
      own = (node.messages || []).reduce((sum, message) => sum + message.dollars, 0);
    return h(
      "dl",
      { class: "facts" },
      fact("value", node.value.toFixed(3)),
      fact("visits", String(this.model.visits.get(node.id))),
      fact("prior", chance(node.prior)),
      fact("evaluated in", node.terms.length ? duration(node.seconds) : ""),
      fact("cost", own ? money(own) : ""),
      fact("after", duration(node.at)),
      fact("spent", paid),
    );
  }

  change(node) {
    if (node.parent === null) return null;
    const deep = Boolean(node.base_diff),
      base = deep && this.against === "base";
    const button = (name, words) =>
      h(
        "button",
        {
          type: "button",
          "aria-pressed": String(name === (base ? "base" : "parent")),
          onclick: () => {
            this.against = name;
            this.show(node.id);
          },
        },
        words,
      );
    const which = deep
      ? h(
          "div",
          { class: "caption", role: "group", "aria-label": "Compared with" },
          button("parent", "against its parent"),
          button("base", "against the base"),
        )
      : null;
    const text = base ? node.base_diff : node.diff;
    return titledPart(
      node.outcome === "refused" ? "What was to be changed" : "Change",
      which,
      text ? diffOf(text) : h("p", { class: "dim" }, "No text was changed."),
    );
  }

  tests(node) {
    const rows = (names, kind, sign, word) =>
      (names || []).map((name) =>
        h("li", { class: kind }, h("b", { "aria-hidden": "true" }, sign), h("span", {}, h("span", { class: "hidden" }, `${word}: `), name)),
      );
    const found = [...rows(node.fixed, "fixed", "✓", "passes now"), ...rows(node.broken, "broken", "✗", "broken")];
    const counted = [node.fixed ? `${node.fixed.length} pass now` : "", node.broken ? `${node.broken.length} broken` : ""]
      .filter(Boolean)
      .join(", ");
    return found.length ? titledPart(`Tests: ${counted}`, h("ul", { class: "tests" }, found)) : null;
  }

  terms(node) {
    if (!node.terms.length) return null;
    const row = (term) => {
      const bar = h("i", {});
      bar.style.width = `${100 * term.score}%`;
      const note = term.known === false ? "not known" : term.score.toFixed(2);
      return [
        h("span", {}, term.name, term.blocked ? h("span", { class: "dim" }, " (ends here)") : null),
        h("span", { class: "bar", "aria-hidden": "true" }, bar),
        h("span", { class: "score" }, note),
        term.feedback && term.name !== "judge" ? h("div", { class: "said" }, term.feedback) : null,
      ];
    };
    return titledPart("How the value came about", h("div", { class: "terms" }, node.terms.map(row)));
  }

  judge(node) {
    if (!node.judge) return null;
    const rows = Object.entries(node.judge).map(([name, said]) => [h("dt", {}, name), h("dd", {}, String(said))]);
    return titledPart("What the judge says", h("dl", { class: "judge" }, rows));
  }
}

function messageOf(message) {
  const what = [...message.calls.map((call) => call.name), message.said ? short(message.said.trim().replace(/\s+/g, " "), 60) : ""]
    .filter(Boolean)
    .join(", ");
  const call = (each) => [
    h("h5", {}, `calls ${each.name}`),
    h(
      "div",
      { class: "text" },
      Object.entries(each.arguments)
        .map(([key, value]) => `${key}: ${typeof value === "string" ? value : JSON.stringify(value)}`)
        .join("\n"),
    ),
  ];
  const inside = () =>
    h(
      "div",
      {},
      message.asked ? [h("h5", {}, "was told"), h("div", { class: "text" }, message.asked)] : null,
      message.said ? [h("h5", {}, "says"), h("div", { class: "text" }, message.said)] : null,
      message.calls.map(call),
    );
  const box = h(
    "details",
    { class: "message" },
    h(
      "summary",
      {},
      h("span", {}, message.role || "answer"),
      h("span", { class: "grow" }, what),
      h("span", { class: "dim" }, `${many(message.tokens, "token")}, ${money(message.dollars)}`),
    ),
  );
  box.addEventListener("toggle", () => {
    if (box.open && box.children.length === 1) box.append(inside());
  });
  return box;
}
