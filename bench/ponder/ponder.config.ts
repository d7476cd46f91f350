import { readFileSync } from "node:fs";
import { createConfig } from "ponder";

const artifact = JSON.parse(readFileSync(process.env.BENCH_ARTIFACT!, "utf8"));

export default createConfig({
  ordering: "multichain",
  chains: { local: { id: Number(process.env.BENCH_CHAIN_ID), rpc: process.env.BENCH_RPC_URL!, disableCache: true } },
  contracts: {
    Escrow: {
      chain: "local",
      abi: artifact.abi.filter((entry: { type: string }) => entry.type === "event"),
      address: process.env.BENCH_ADDRESS as `0x${string}`,
      startBlock: Number(process.env.BENCH_FIRST_BLOCK),
    },
  },
});
