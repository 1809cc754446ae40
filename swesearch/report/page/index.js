// The list of runs: filters, and two to compare.

const { base, ...first } = JSON.parse($("story").textContent);
let runs = first.runs;
const picked = new Set();

function show() {
  const words = $("find").value.toLowerCase().split(/\s+/).filter(Boolean),
    outcome = $("outcome").value;
  const shown = runs.filter(
    (run) =>
      (!outcome || run.state === outcome) && words.every((word) => `${run.id} ${run.repo} ${run.words}`.toLowerCase().includes(word)),
  );
  fill($("runs"), shown.map(row));
  $("counts").textContent = shown.length === runs.length ? many(runs.length, "run") : `${shown.length} of ${many(runs.length, "run")}`;
  $("compare").disabled = picked.size !== 2;
}

function row(run) {
  const name = run.repo.split("/").filter(Boolean).pop() || run.repo,
    box = h("input", { type: "checkbox", "aria-label": `Compare ${run.id}` });
  box.checked = picked.has(run.id);
  box.addEventListener("change", () => {
    box.checked ? picked.add(run.id) : picked.delete(run.id);
    if (picked.size > 2) picked.delete([...picked][0]);
    show();
  });
  const kind = run.running ? "running" : run.state === "solved" ? "solved" : "lost";
  return h(
    "tr",
    { "data-run": run.id },
    h("td", {}, box),
    h("td", { title: run.repo }, name),
    h("td", {}, h("a", { href: `${base}/runs/${encodeURIComponent(run.id)}` }, run.id)),
    h("td", { class: "dim" }, new Date(run.started * 1000).toLocaleString()),
    h("td", {}, h("span", { class: `state ${kind}` }, run.running ? "running" : run.words)),
    h("td", { class: "n" }, run.evaluations.toLocaleString("en")),
    h("td", { class: "n" }, run.best.toFixed(2)),
  );
}

function outcomes() {
  const known = new Map(runs.map((run) => [run.state, run.words])),
    chosen = $("outcome").value;
  fill(
    $("outcome"),
    h("option", { value: "" }, "every outcome"),
    [...known].map(([state, words]) => h("option", { value: state }, words)),
  );
  $("outcome").value = known.has(chosen) ? chosen : "";
}

async function refresh() {
  const answer = await fetch(`${base}/runs.json`).catch(() => null); // the server has ended: what is shown stays
  if (!answer || !answer.ok) return;
  const before = JSON.stringify(runs);
  runs = await answer.json();
  if (JSON.stringify(runs) !== before) (outcomes(), show());
}

$("find").addEventListener("input", show);
$("outcome").addEventListener("change", show);
$("compare").addEventListener("click", () => {
  const [a, b] = [...picked].sort();
  location.href = `${base}/compare?${new URLSearchParams({ a, b })}`;
});
outcomes();
show();
setInterval(refresh, 3000);
