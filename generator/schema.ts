import { z } from "zod";
import { addressProblem } from "./address";
import { CATALOGUE, CHECK_NAMES, type CheckName, timing } from "./checks";
import { line } from "./units";

/** Kinds of checks that need no settings, so that their bare name will do. */
export const BARE_CHECKS = CHECK_NAMES.filter((name) => CATALOGUE[name].schema.safeParse({}).success);

const withSettings = Object.fromEntries(
  CHECK_NAMES.map((name) => [name, CATALOGUE[name].schema.describe(CATALOGUE[name].description).optional()]),
) as { [Name in CheckName]: z.ZodOptional<(typeof CATALOGUE)[Name]["schema"]> };

/** One check of a host. */
export const checkSchema = z
  .union([
    z.enum(BARE_CHECKS as [CheckName, ...CheckName[]]),
    z
      .strictObject(withSettings)
      .refine((one) => Object.keys(one).length === 1, "must name exactly one check, such as - tcp: { port: 22 }"),
  ])
  .describe("the name of a check, or one with its settings, such as tcp: { port: 22 }");

const simple = z.union([line, z.number(), z.boolean()]);
const variable = z.union([simple, z.array(simple)]).describe("text, a number, true, false, or a list of these");

/** One host of a file. */
export const hostSchema = z.strictObject({
  name: z
    .string()
    .regex(
      /^[A-Za-z0-9]([A-Za-z0-9._-]{0,126}[A-Za-z0-9])?$/,
      "must be 1 to 128 letters, digits and . _ -, and start and end with a letter or digit",
    )
    .describe("the host's name, unique in the whole inventory"),
  address: z
    .string()
    .superRefine((address, context) => {
      const message = addressProblem(address);
      if (message !== undefined) context.addIssue({ code: "custom", message });
    })
    .describe("the IP address or DNS name that checks connect to, such as 10.1.2.3"),
  location: z.string().describe("name of the location whose slaves check the host"),
  displayName: line.describe("what people read instead of the name").optional(),
  checks: z.array(checkSchema).describe("what to check, such as [ping, tcp: { port: 22 }]").default([]),
  vars: z
    .record(
      z
        .string()
        .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, "must be a variable name of letters, digits and _, such as rack")
        .refine((name) => name !== "location", "is set by the generator; choose another name"),
      variable,
    )
    .describe("custom variables, such as { rack: B7 }")
    .optional(),
});

/** One file of an inventory. The only definition of its shape. */
export const fileSchema = z.strictObject({
  defaults: z.strictObject(timing).describe("how often to check where nothing nearer says so").optional(),
  hosts: z.array(hostSchema).describe("the hosts to monitor").default([]),
});

/** One file of an inventory, with the schema's defaults filled in. */
export type InventoryFile = z.output<typeof fileSchema>;

/** One host of a file, with the schema's defaults filled in. */
export type InventoryHost = z.output<typeof hostSchema>;

/** One check of a host as it may be written. */
export type InventoryCheck = z.output<typeof checkSchema>;
