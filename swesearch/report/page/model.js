// A run as the page knows it: its head, its nodes, and what follows from them.

class Model {
  constructor(head) {
    this.nodes = new Map();
    this.kids = new Map();
    this.order = []; // ids, parents before their children
    this.visits = new Map();
    this.most = new Map(); // the best value at a node or below it
    this.head = head;
    this.path = new Set();
    this.hits = null; // ids that the search found, null without a search
  }

  take(head, rows) {
    this.head = head;
    this.path = new Set(head.path);
    for (const row of rows) {
      if (!this.nodes.has(row.id)) this.grow(row);
      this.nodes.set(row.id, row);
      row.search = null;
    }
    this.add();
  }

  grow(row) {
    this.order.push(row.id);
    this.kids.set(row.id, []);
    if (row.parent !== null && this.kids.has(row.parent)) this.kids.get(row.parent).push(row.id);
  }

  // How many attempts were made at a node or below it, and the best of them.
  add() {
    for (const id of this.order) {
      this.visits.set(id, 1);
      this.most.set(id, this.rank(this.nodes.get(id)));
    }
    for (let place = this.order.length - 1; place >= 0; place--) {
      const id = this.order[place],
        parent = this.nodes.get(id).parent;
      if (!this.nodes.has(parent)) continue;
      this.visits.set(parent, this.visits.get(parent) + this.visits.get(id));
      this.most.set(parent, Math.max(this.most.get(parent), this.most.get(id)));
    }
  }

  rank(node) {
    return (this.path.has(node.id) ? 4 : 0) + (node.solved ? 2 : 0) + node.value;
  }

  sorted(id) {
    return [...this.kids.get(id)].sort((a, b) => this.most.get(b) - this.most.get(a) || a - b);
  }

  get roots() {
    return this.order.filter((id) => !this.nodes.has(this.nodes.get(id).parent));
  }

  get last() {
    return this.head.path[this.head.path.length - 1];
  }

  trail(id) {
    const found = [];
    for (let at = id; this.nodes.has(at); at = this.nodes.get(at).parent) found.unshift(at);
    return found;
  }

  find(query) {
    const words = query.toLowerCase().split(/\s+/).filter(Boolean);
    this.hits = words.length
      ? new Set(this.order.filter((id) => words.every((word) => this.text(this.nodes.get(id)).includes(word))))
      : null;
  }

  text(node) {
    if (!node.search) {
      const said = (node.messages || []).flatMap((each) => [each.said, ...each.calls.map((call) => JSON.stringify(call.arguments))]);
      const parts = [
        `n${node.id}`,
        node.why,
        node.outcome,
        BECAME[node.outcome],
        node.diff,
        node.feedback,
        ...(node.fixed || []),
        ...(node.broken || []),
      ];
      node.search = [...parts, ...node.terms.map((term) => term.feedback), ...said].filter(Boolean).join("\n").toLowerCase();
    }
    return node.search;
  }
}
