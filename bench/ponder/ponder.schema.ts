import { onchainTable } from "ponder";

// Less than the mirror keeps: how each order stands, and every event.
export const order = onchainTable("order", (t) => ({
  id: t.hex().primaryKey(),
  state: t.text().notNull(),
  buyer: t.hex(),
  seller: t.hex(),
  token: t.hex(),
  price: t.bigint(),
  openedAt: t.bigint(),
  closedAt: t.bigint(),
}));

export const event = onchainTable("event", (t) => ({
  id: t.text().primaryKey(),
  order: t.hex().notNull(),
  name: t.text().notNull(),
  block: t.bigint().notNull(),
}));
