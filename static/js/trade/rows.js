/** A table whose rows stay the same elements while their numbers change: focus and selection survive. */
import { h, notice, setText } from "../lib/dom.js";

export class Rows {
  /** `columns`: [{ name, num, text(item) } or { name, node(item) }]; `key(item)` names a row. */
  constructor({ columns, key, empty, rowAttributes = () => ({}) }) {
    Object.assign(this, { columns, key, empty, rowAttributes });
    this.rows = new Map();
    this.isFirst = true;
    this.body = h("tbody");
    const heads = columns.map((one) => h("th", { scope: "col", class: one.num ? "num" : undefined }, one.name));
    this.table = h("table", { class: "grid-table" }, h("thead", {}, h("tr", {}, ...heads)), this.body);
  }

  /** The element to show for these items: the table, or what an empty one says. */
  show(items) {
    if (!items.length) {
      this.rows.clear();
      this.isFirst = false;
      return notice(this.empty);
    }
    const wanted = new Map(items.map((item) => [this.key(item), item]));
    for (const [key, row] of this.rows) {
      if (wanted.has(key)) continue;
      row.remove();
      this.rows.delete(key);
    }
    items.forEach((item, at) => this.place(item, at));
    this.isFirst = false;
    return this.table;
  }

  place(item, at) {
    const key = this.key(item);
    let row = this.rows.get(key);
    if (!row) {
      row = this.build(item);
      this.rows.set(key, row);
    }
    this.update(row, item);
    if (this.body.children[at] !== row) this.body.insertBefore(row, this.body.children[at] ?? null);
  }

  build(item) {
    const cells = this.columns.map((column) =>
      h("td", { class: column.num ? "num" : undefined, "data-name": column.name }, ...(column.node ? [column.node(item)] : [])),
    );
    const row = h("tr", this.rowAttributes(item), ...cells);
    if (!this.isFirst) row.classList.add("fresh");
    return row;
  }

  update(row, item) {
    this.columns.forEach((column, at) => {
      const cell = row.children[at];
      if (column.text) setText(cell, column.text(item));
      if (column.tone) cell.className = `${column.num ? "num " : ""}${column.tone(item)}`;
      column.adjust?.(cell, item);
    });
  }
}
