// Two runs beside each other: numbers, progress, patches, accounts.

const { a, b, base } = JSON.parse($("story").textContent),
  both = [a, b];
const best = (story) => story.finalists.find((each) => each.chosen);
const rows = {
  repository: (story) => story.repo.split("/").filter(Boolean).pop(),
  outcome: (story) => (story.running ? "running" : story.state === "solved" ? "fixed" : story.state),
  strategy: (story) => `${story.strategy}, seed ${story.seed}`,
  model: (story) => story.models.join(", ") || "none",
  states: (story) => story.nodes.length.toLocaleString("en"),
  "first that passes": (story) => {
    const first = story.nodes.find((node) => node.solved);
    return first ? `attempt ${first.id}, after ${duration(first.at)}` : "none";
  },
  "depth of the best": (story) => String(Math.max(0, story.path.length - 1)),
  evaluations: (story) => story.cost.evaluations.toLocaleString("en"),
  time: (story) => duration(story.cost.seconds),
  money: (story) => (story.models.length ? money(story.cost.dollars) : "none"),
};

$("home").href = `${base}/`;
fill(
  $("names"),
  h(
    "tr",
    {},
    h("th", {}, ""),
    both.map((story) => h("th", {}, h("a", { href: `${base}/runs/${encodeURIComponent(story.run)}` }, story.run))),
  ),
);
fill(
  $("numbers"),
  Object.entries(rows).map(([name, read]) =>
    h(
      "tr",
      {},
      h("th", { scope: "row" }, name),
      both.map((story) => h("td", {}, read(story))),
    ),
  ),
);

const most = Math.max(2, a.nodes.length, b.nodes.length) - 1;
$("lines").setAttribute("viewBox", "0 -4 1000 108");
fill(
  $("lines"),
  [0, 50, 100].map((y) => svg("line", { class: "grid", x1: 0, x2: 1000, y1: y, y2: y })),
  both.map((story, place) => {
    let high = 0;
    const steps = story.nodes
      .map((node, at) => `${at ? `H${(1000 * at) / most}V` : "M0 "}${100 * (1 - (high = Math.max(high, node.value)))}`)
      .join("");
    return svg("path", { class: place ? "spend" : "best", d: steps });
  }),
);
$("lines").setAttribute(
  "aria-label",
  both
    .map(
      (story) =>
        `${story.run}: ${Math.max(0, ...story.nodes.map((node) => node.value)).toFixed(2)} after ${many(story.nodes.length, "state")}`,
    )
    .join("; "),
);
fill(
  $("legend"),
  both.map((story, place) => h("span", { class: "key" }, h("i", { class: place ? "swatch spend" : "swatch" }), story.run)),
);

fill(
  $("patches"),
  both.map((story) =>
    h(
      "div",
      {},
      h("div", { class: "caption" }, story.run),
      best(story) ? diffOf(best(story).patch) : h("p", { class: "dim" }, "Nothing was handed over."),
    ),
  ),
);
$("same").textContent =
  best(a) && best(b) ? (best(a).patch === best(b).patch ? "The two patches are the same." : "The two patches differ.") : "";
fill(
  $("words"),
  both.map((story) =>
    h(
      "div",
      {},
      story.account.map((section) =>
        h(
          "div",
          {},
          h("h2", {}, section.title),
          section.lines.map((line) => h("p", {}, ticked(line))),
        ),
      ),
    ),
  ),
);
