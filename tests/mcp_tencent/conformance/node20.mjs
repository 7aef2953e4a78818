// Node 20 has no fs.globSync, which the suite imports for a command that is not used here.
import { register } from "node:module";

const shim = `export * from "node:fs"; export { default } from "node:fs";
export const globSync = () => { throw new Error("fs.globSync needs Node 22"); };`;

const hooks = `export const resolve = (specifier, context, next) =>
  specifier === "fs" && context.parentURL?.includes("@modelcontextprotocol/conformance/")
    ? { url: "data:text/javascript," + encodeURIComponent(${JSON.stringify(shim)}), shortCircuit: true }
    : next(specifier, context);`;

if (Number(process.versions.node.split(".")[0]) < 22) {
  register("data:text/javascript," + encodeURIComponent(hooks));
}
