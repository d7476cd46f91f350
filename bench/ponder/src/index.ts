import { ponder } from "ponder:registry";
import { event as events, order as orders } from "ponder:schema";

const keep = (db: any, name: string, event: any) =>
  db.insert(events).values({ id: event.id, order: event.args.orderId, name, block: event.block.number });

ponder.on("Escrow:OrderOpened", async ({ event, context }: any) => {
  const { terms, orderId, state } = event.args;
  await context.db.insert(orders).values({
    id: orderId,
    state: state === 2 ? "Accepted" : "Opened",
    buyer: terms.buyer,
    seller: terms.seller,
    token: terms.token,
    price: terms.price,
    openedAt: event.block.timestamp,
  });
  await keep(context.db, "OrderOpened", event);
});

for (const [name, state] of [["OrderAccepted", "Accepted"], ["OrderDelivered", "Delivered"], ["OrderClosed", "Closed"]]) {
  ponder.on(`Escrow:${name}` as any, async ({ event, context }: any) => {
    const closedAt = state === "Closed" ? event.block.timestamp : undefined;
    await context.db.update(orders, { id: event.args.orderId }).set({ state, closedAt });
    await keep(context.db, name, event);
  });
}
